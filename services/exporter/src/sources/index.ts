import { mkdir } from 'node:fs/promises';
import { ExportOptions, type DisksSource, type Machine, type OvaSource } from '@hyper2kvm/contracts';
import type { ExportPorts, ExportRequest } from '../export/ports.js';
import type { ExportSettings } from '../export/settings.js';
import { createLocalSource } from './local/index.js';
import type { Source, SourceNotes } from './source.js';
import type { Children } from '../transfer/index.js';
import { describe, type Endpoint, type VcenterSessions } from './vsphere/index.js';
import { VsphereSource } from './vsphere/source.js';

export type {
  DiskAccess,
  PreparedSource,
  Remains,
  Source,
  SourceDiskPlan,
  SourceNotes,
  TransportName,
} from './source.js';

export interface SourceOptions {
  readonly request: ExportRequest;
  readonly settings: ExportSettings;
  readonly ports: ExportPorts;
  readonly notes: SourceNotes;
  /** How far the export is. */
  readonly percent: () => number;
}

/** The source of a job, by its kind. Nothing is asked yet. */
export function openSource({ request, settings, ports, notes, percent }: SourceOptions): Source {
  const { jobId, vmName } = request;
  const { work, sessions, children } = ports;
  if (request.files !== undefined)
    return createLocalSource(request.files, {
      allowedRoots: settings.allowedRoots,
      workDir: settings.workDir,
      vmName,
      signal: work.signal,
      children,
    });
  const { endpoint, moref } = request;
  const power = ExportOptions.parse(request.options ?? {}).source_power;
  return new VsphereSource({ jobId, endpoint, vmName, moref, power, sessions, notes, work, settings, percent });
}

export interface Question {
  readonly source: { readonly endpoint: Endpoint } | { readonly files: DisksSource | OvaSource };
  readonly vmName: string;
  readonly settings: ExportSettings;
  readonly sessions: VcenterSessions;
  readonly children: Children;
  readonly signal: AbortSignal;
}

/** What a source says of a machine, without a job. @throws JobError */
export async function describeSource(question: Question): Promise<Machine> {
  const { source, vmName, settings, sessions, children, signal } = question;
  if ('files' in source) {
    const { allowedRoots, workDir } = settings;
    await mkdir(workDir, { recursive: true, mode: 0o750 });
    const local = createLocalSource(source.files, { allowedRoots, workDir, vmName, signal, children });
    try {
      return (await local.describe()).machine;
    } finally {
      await local.close();
    }
  }
  const session = await sessions.acquire(source.endpoint, { signal });
  try {
    return (await describe(session, { vmName }, { signal })).machine;
  } finally {
    await session.close();
  }
}
