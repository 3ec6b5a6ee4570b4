import type {
  ArtifactDisk,
  ConversionCompleted,
  Failure,
  Import,
  JobOptions,
  JobStatus,
  Lane,
  Machine,
  Phase,
  Source,
  Verification,
} from '@hyper2kvm/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bytes } from './transformers.js';

/** The seed's words in `conversion_status`. */
export type ConversionStatus = 'queued' | 'converting' | 'completed' | 'failed';
/** What a row keeps of an artifact; the hashes stay in `artifact.json`. */
export type ArtifactSummary = { disks: Omit<ArtifactDisk, 'segments'>[] };
/** The removal of what an export left. */
export interface CleanupRow {
  readonly status: 'queued' | 'completed' | 'failed';
  /** Whether the folder with the images goes too. */
  readonly remove_files: boolean;
  /** Of a folder whose source was cleared up before. */
  readonly files_only?: boolean;
  /** Tries that failed. */
  readonly failures: number;
  /** What the last failure said. */
  readonly message: string | null;
  /** RFC 3339; of a failed try, when the next one leaves. */
  readonly next_try_at: string | null;
}
/** The latest look at the files; how far it is comes from the bus. */
export type VerificationRow = Omit<Verification, 'status' | 'percent_complete'> & {
  readonly status: 'queued' | 'completed' | 'failed';
};
/** The latest import into libvirt; whether it has begun comes from the bus. */
export type ImportRow = Omit<Import, 'status'> & { readonly status: 'queued' | 'completed' | 'failed' };

/** The migration of one VM. Columns and their meanings are the seed's `jobs` table, and what the process manager needs. */
@Entity('jobs')
export class Job {
  @PrimaryColumn('text') id!: string;
  @Column('text') vmName!: string;
  @Column('text') vcenterServer!: string;

  @Column('text') status!: JobStatus;
  @Column('text') phase!: Phase;
  /** Rises with every change: an update names the version that it decided on. */
  @Column('int') version!: number;

  @Column('timestamptz', { nullable: true }) exportStartedAt!: Date | null;
  @Column('timestamptz', { nullable: true }) exportCompletedAt!: Date | null;
  @Column('int', { nullable: true }) exportDurationSeconds!: number | null;
  @Column('bigint', { nullable: true, transformer: bytes }) bytesDownloaded!: number | null;

  @Column('timestamptz', { nullable: true }) conversionStartedAt!: Date | null;
  @Column('timestamptz', { nullable: true }) conversionCompletedAt!: Date | null;
  @Column('int', { nullable: true }) conversionDurationSeconds!: number | null;
  @Column('text', { nullable: true }) conversionStatus!: ConversionStatus | null;

  /** Names of the source's disks. */
  @Column('jsonb') sourceFiles!: string[];
  @Column('text', { nullable: true }) outputDir!: string | null;

  @Column('timestamptz') createdAt!: Date;
  @Column('timestamptz') updatedAt!: Date;
  @Column('timestamptz', { nullable: true }) completedAt!: Date | null;

  @Column('text', { nullable: true }) error!: string | null;
  @Column('jsonb', { nullable: true }) failure!: Failure | null;
  @Column('text', { nullable: true }) errorFile!: string | null;
  /** All retries of the job, asked for or by itself. */
  @Column('int') retryCount!: number;
  /** Retries by itself since this phase was last asked for: what the retry policy counts. */
  @Column('int') phaseRetries!: number;
  @Column('timestamptz', { nullable: true }) nextRetryAt!: Date | null;

  @Column('text') requestedBy!: string;
  @Column('text') priority!: Lane;
  @Column('jsonb') tags!: string[];
  @Column('jsonb') options!: JobOptions;

  /** The source as a worker needs it; the password within is sealed. */
  @Column('jsonb') source!: Source;
  /** Null until the VM was looked at: those of batches and schedules are looked at when their turn comes. */
  @Column('jsonb', { nullable: true }) machine!: Machine | null;
  /** The VM as the request called it: its name, inventory path or managed object id. */
  @Column('text') vmRef!: string;
  /** The stored connection whose login is used, as it is when it is needed; null where the login came with the request. */
  @Column('text', { nullable: true }) connection!: string | null;
  /** Where vCenter ran the VM when it was last asked. */
  @Column('text', { nullable: true }) host!: string | null;
  @Column('text', { nullable: true }) batchId!: string | null;
  @Column('text', { nullable: true }) wave!: string | null;
  /** Place in the plan of its batch. */
  @Column('int', { nullable: true }) planOrder!: number | null;
  /** When its batch and its hook let it in; null while they hold it back. Only then its release is thought of. */
  @Column('timestamptz', { nullable: true }) admittedAt!: Date | null;
  @Column('timestamptz', { nullable: true }) notBefore!: Date | null;
  /** Since when it waits for the phase that comes next: the order within a lane. */
  @Column('timestamptz') queuedAt!: Date;
  /** When this attempt's export was let into the queue; null while it waits for room. */
  @Column('timestamptz', { nullable: true }) releasedAt!: Date | null;
  @Column('text', { nullable: true }) instanceUuid!: string | null;
  /** Sum of the disks' capacities. */
  @Column('bigint', { transformer: bytes }) totalBytes!: number;

  @Column('int') exportAttempt!: number;
  @Column('int') conversionAttempt!: number;
  /** Fences messages that were moved between lanes. */
  @Column('int') generation!: number;

  @Column('text', { nullable: true }) artifactDir!: string | null;
  /** Pool whose workers reach `artifactDir`. */
  @Column('text', { nullable: true }) artifactPool!: string | null;
  /** Pool of the target's converters, where its configuration names one; else the artifact's. */
  @Column('text', { nullable: true }) targetPool!: string | null;
  @Column('jsonb', { nullable: true }) artifact!: ArtifactSummary | null;
  @Column('jsonb', { nullable: true }) result!: ConversionCompleted | null;

  @Column('jsonb', { nullable: true }) cleanup!: CleanupRow | null;
  /** Of all clean-ups of the job. */
  @Column('int') cleanupAttempt!: number;
  @Column('jsonb', { nullable: true }) verification!: VerificationRow | null;
  @Column('int') verifyAttempt!: number;
  @Column('jsonb', { nullable: true }) libvirtImport!: ImportRow | null;
  @Column('int') importAttempt!: number;

  @Column('text', { nullable: true }) traceId!: string | null;
  /** W3C, of the request: what is done for the job later, by nobody's request, goes on in its trace. */
  @Column('text', { nullable: true }) traceparent!: string | null;
}

/** A row as plain data, for functions that decide and show. */
export type JobRow = Pick<Job, keyof Job>;

/** Name of the index that allows one active job per VM. */
export const ACTIVE_VM_INDEX = 'idx_jobs_active_vm';
