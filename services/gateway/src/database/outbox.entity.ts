import { Column, Entity, PrimaryColumn } from 'typeorm';

/** `cancel` withdraws the command named by `type`; `move` sends it in another lane, if it has not begun; `bandwidth` changes the limit of an export that may be running. */
export type OutboxKind = 'command' | 'fact' | 'cancel' | 'bandwidth' | 'move';

/** A message that was decided on and has to leave. Written under the lock of its job's row, so `seq` is the order of decisions. */
@Entity('outbox')
export class OutboxRow {
  /** Also the event's id: a repeated publish is recognised by it. */
  @PrimaryColumn('uuid') id!: string;
  @Column({ type: 'bigint', insert: false, update: false }) seq!: string;
  @Column('text') jobId!: string;
  @Column('text') kind!: OutboxKind;
  /** CloudEvents type, for example `export.requested.v1`. */
  @Column('text') type!: string;
  @Column('jsonb') data!: Record<string, unknown>;
  @Column('text', { nullable: true }) traceparent!: string | null;
  /** Not before this instant: a retry waits here. */
  @Column('timestamptz') availableAt!: Date;
  @Column('timestamptz', { nullable: true }) publishedAt!: Date | null;
  @Column('timestamptz') createdAt!: Date;
}
