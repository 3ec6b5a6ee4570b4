import type { Attempt, Failure } from '@hyper2kvm/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One try of a phase or of a task, with its end. */
@Entity('job_attempts')
export class AttemptRow {
  @PrimaryColumn('text') jobId!: string;
  @PrimaryColumn('text') activity!: Attempt['activity'];
  @PrimaryColumn('int') attempt!: number;
  @Column({ type: 'timestamptz', insert: false, update: false }) askedAt!: Date;
  @Column('text', { nullable: true }) worker!: string | null;
  @Column('timestamptz', { nullable: true }) startedAt!: Date | null;
  @Column('timestamptz', { nullable: true }) endedAt!: Date | null;
  @Column('text') outcome!: Attempt['outcome'];
  @Column('float8', { nullable: true }) durationSeconds!: number | null;
  @Column('jsonb', { nullable: true }) failure!: Failure | null;
  @Column('text', { nullable: true }) errorFile!: string | null;
}

/** A line of a job's timeline. */
@Entity('job_events')
export class JobEventRow {
  @PrimaryColumn({ type: 'bigint', insert: false, update: false }) seq!: string;
  @Column('text') jobId!: string;
  @Column('text') event!: string;
  @Column('timestamptz') time!: Date;
  @Column({ type: 'timestamptz', insert: false, update: false }) recordedAt!: Date;
  @Column('int', { nullable: true }) attempt!: number | null;
  @Column('text', { nullable: true }) by!: string | null;
  @Column('text') message!: string;
}
