import type { BatchReport, BatchReportLine, Failure, JobStatus } from '@hyper2kvm/contracts';
import { Injectable } from '@nestjs/common';
import { stringify } from 'csv-stringify/sync';
import { DataSource } from 'typeorm';
import { BatchQueries } from './queries.js';

interface Row {
  readonly wave: string;
  readonly vm_name: string;
  readonly id: string;
  readonly status: JobStatus;
  readonly failure: Failure | null;
  readonly error: string | null;
  readonly retry_count: number;
  readonly created_at: Date;
  readonly export_started_at: Date | null;
  readonly export_completed_at: Date | null;
  readonly conversion_status: string | null;
  readonly completed_at: Date | null;
  readonly export_duration_seconds: number | null;
  readonly conversion_duration_seconds: number | null;
  readonly bytes_downloaded: string | null;
  readonly total_bytes: string;
  readonly booted: boolean | null;
  readonly libvirt_domain: string | null;
  readonly output_dir: string | null;
  readonly concerns: number;
}
interface WaveHookRow {
  readonly wave: string;
  readonly moment: 'before' | 'after';
  readonly status: 'queued' | 'completed' | 'failed';
  readonly output: string | null;
  readonly failure: Failure | null;
}

const iso = (date: Date | null): string | null => date?.toISOString() ?? null;

/** What became of each VM of a batch. */
@Injectable()
export class BatchReports {
  constructor(
    private readonly dataSource: DataSource,
    private readonly queries: BatchQueries,
  ) {}

  /** @throws JobError BATCH_NOT_FOUND */
  async report(id: string): Promise<BatchReport> {
    const summary = await this.queries.summary(id);
    const [rows, hooks] = await Promise.all([this.#rows(id), this.#hooks(id)]);
    return { ...summary, vms: rows.map((row) => lineOf(row)), hooks };
  }

  #rows(id: string): Promise<Row[]> {
    return this.dataSource.query<Row[]>(
      `SELECT wave, vm_name, id, status, failure, error, retry_count, created_at, export_started_at, export_completed_at,
         conversion_status, completed_at, export_duration_seconds, conversion_duration_seconds, bytes_downloaded,
         total_bytes, (result->'proof'->>'booted')::boolean AS booted, output_dir,
         coalesce(libvirt_import->'report'->>'libvirt_domain', result->>'libvirt_domain') AS libvirt_domain,
         coalesce(jsonb_array_length(result->'concerns'), 0) AS concerns
       FROM jobs WHERE batch_id = $1 ORDER BY plan_order`,
      [id],
    );
  }

  /** The latest run of each. */
  #hooks(id: string): Promise<WaveHookRow[]> {
    return this.dataSource.query<WaveHookRow[]>(
      `SELECT wave, moment, status, output, failure FROM (
         SELECT DISTINCT ON (wave, moment) * FROM hooks WHERE batch_id = $1 AND scope = 'wave'
         ORDER BY wave, moment, round DESC) AS latest ORDER BY queued_at`,
      [id],
    );
  }
}

function lineOf(row: Row): BatchReportLine {
  const rests = row.status === 'exported' && row.conversion_status === null;
  const end = rests ? row.export_completed_at : row.completed_at;
  return {
    wave: row.wave,
    vm_name: row.vm_name,
    job_id: row.id,
    status: row.status,
    error_code: row.failure?.code ?? null,
    error: row.error,
    retry_count: row.retry_count,
    created_at: row.created_at.toISOString(),
    started_at: iso(row.export_started_at),
    completed_at: iso(end),
    duration_seconds:
      end === null || row.export_started_at === null ? null : (end.getTime() - row.export_started_at.getTime()) / 1000,
    export_seconds: row.export_duration_seconds,
    conversion_seconds: row.conversion_duration_seconds,
    bytes_downloaded: Number(row.bytes_downloaded ?? 0),
    capacity_bytes: Number(row.total_bytes),
    booted: row.booted,
    libvirt_domain: row.libvirt_domain,
    output_dir: row.output_dir,
    concerns: row.concerns,
  };
}

const COLUMNS: readonly (keyof BatchReportLine)[] = [
  ...(['wave', 'vm_name', 'job_id', 'status', 'error_code', 'error', 'retry_count'] as const),
  ...([
    'created_at',
    'started_at',
    'completed_at',
    'duration_seconds',
    'export_seconds',
    'conversion_seconds',
  ] as const),
  ...(['bytes_downloaded', 'capacity_bytes', 'booted', 'libvirt_domain', 'output_dir', 'concerns'] as const),
];

/** RFC 4180. Names of VMs come from strangers: what a spreadsheet would take for a formula gets an apostrophe in front. */
export const csvOf = (lines: readonly BatchReportLine[]): string =>
  stringify([...lines], {
    header: true,
    columns: [...COLUMNS],
    record_delimiter: 'windows',
    escape_formulas: true,
    cast: { boolean: String },
  });
