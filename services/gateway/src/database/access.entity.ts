import type { Role } from '@hyper2kvm/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A token is kept as its SHA-256. */
@Entity('tokens')
export class TokenRow {
  @PrimaryColumn('text') name!: string;
  @Column('text') role!: Role;
  @Column('text') hash!: string;
  @Column('text') createdBy!: string;
  @Column('timestamptz') createdAt!: Date;
  @Column('timestamptz', { nullable: true }) expiresAt!: Date | null;
  @Column('timestamptz', { nullable: true }) lastUsedAt!: Date | null;
}

/** A change that somebody asked for. */
@Entity('audit')
export class AuditRow {
  @PrimaryColumn({ type: 'bigint', insert: false, update: false }) seq!: string;
  @Column('timestamptz') time!: Date;
  @Column('text') caller!: string;
  @Column('text', { nullable: true }) role!: Role | null;
  @Column('text', { nullable: true }) address!: string | null;
  @Column('text') action!: string;
  @Column('text') method!: string;
  @Column('text') path!: string;
  @Column('text', { nullable: true }) target!: string | null;
  /** Null until the answer is known: the row is written before anything is done. */
  @Column('int', { nullable: true }) status!: number | null;
  @Column('text', { nullable: true }) code!: string | null;
  @Column('text', { nullable: true }) request!: string | null;
  @Column('text', { nullable: true }) traceId!: string | null;
}

/** The answer to a POST that came with an Idempotency-Key; without a status while it is worked on. */
@Entity('idempotency_keys')
export class IdempotencyRow {
  @PrimaryColumn('text') caller!: string;
  @PrimaryColumn('text') key!: string;
  /** Sealed: the request may hold a password that could be guessed from a plain hash. */
  @Column('text') fingerprintSealed!: string;
  /** Whose work it is, and since when it was not heard of: a gateway that was killed leaves its keys behind. */
  @Column('text') owner!: string;
  @Column('timestamptz') seenAt!: Date;
  @Column('int', { nullable: true }) status!: number | null;
  /** Sealed: an answer may hold a new token. */
  @Column('text', { nullable: true }) answerSealed!: string | null;
  @Column('timestamptz') createdAt!: Date;
}
