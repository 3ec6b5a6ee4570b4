import type { Failure, Hook, Hooks } from '@hyper2kvm/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A wave as the row of its batch keeps it; its VMs are the jobs that carry its name. */
export interface WaveRow {
  readonly name: string;
  readonly after: readonly string[];
  readonly hooks: Hooks | null;
}

/** Jobs that were asked for together. Its status and totals follow from them. */
@Entity('batches')
export class Batch {
  @PrimaryColumn('text') id!: string;
  @Column('text', { nullable: true }) name!: string | null;
  @Column('int') version!: number;
  @Column('text') requestedBy!: string;
  @Column('jsonb') waves!: WaveRow[];
  @Column('int', { nullable: true }) maxParallel!: number | null;
  @Column('int', { nullable: true }) stopAfterFailures!: number | null;
  /** Failures up to the last resume: they count no more. */
  @Column('int') failuresForgiven!: number;
  @Column('timestamptz', { nullable: true }) stoppedAt!: Date | null;
  @Column('timestamptz', { nullable: true }) cancelledAt!: Date | null;
  @Column('text', { nullable: true }) cancelledBy!: string | null;
  /** When its last job ended: `batch.completed` left then. */
  @Column('timestamptz', { nullable: true }) completedAt!: Date | null;
  @Column('text', { nullable: true }) notifyEmail!: string | null;
  @Column('text', { nullable: true }) callbackUrl!: string | null;
  @Column('text', { nullable: true }) slackWebhook!: string | null;
  @Column('timestamptz') createdAt!: Date;
  @Column('timestamptz') updatedAt!: Date;
  @Column('text', { nullable: true }) traceparent!: string | null;
}

/** One run of a hook. */
@Entity('hooks')
export class HookRow {
  @PrimaryColumn('text') id!: string;
  @Column('text', { nullable: true }) batchId!: string | null;
  @Column('text', { nullable: true }) wave!: string | null;
  @Column('text', { nullable: true }) jobId!: string | null;
  @Column('text') scope!: 'vm' | 'wave';
  @Column('text') moment!: 'before' | 'after';
  /** Rises with each retry of the job that it belongs to. */
  @Column('int') round!: number;
  @Column('jsonb') hook!: Hook;
  @Column('text') status!: 'queued' | 'completed' | 'failed';
  @Column('int', { nullable: true }) code!: number | null;
  @Column('text', { nullable: true }) output!: string | null;
  @Column('jsonb', { nullable: true }) failure!: Failure | null;
  @Column('timestamptz') queuedAt!: Date;
  @Column('timestamptz', { nullable: true }) completedAt!: Date | null;
  /** What it was for is over: the next time a run of its own is asked for. */
  @Column('boolean') spent!: boolean;
}
