import { JobError, type ExportOptions, type Machine, type TransportChoice } from '@hyper2kvm/contracts';
import { withLongSpan } from '@hyper2kvm/runtime';
import type { WorkPort } from '../../export/ports.js';
import type { ExportSettings } from '../../export/settings.js';
import type { PreparedSource, Remains, Source, SourceNotes } from '../source.js';
import { describe, type Described } from './describe.js';
import type { Endpoint } from './endpoint.js';
import { orphanMessage, removeJobSnapshots } from './flow/clean-up.js';
import { snapshotName, wordsOf, type FlowContext } from './flow/context.js';
import { giveUpNotedLeases } from './flow/lease.js';
import { NoteBook } from './flow/notes.js';
import { wayBack } from './flow/power.js';
import { prepareVm } from './flow/prepare.js';
import { findVm } from './inventory.js';
import type { VimSession } from './session.js';
import type { VcenterSessions } from './sessions.js';

export interface VsphereOptions {
  readonly jobId: string;
  readonly endpoint: Endpoint;
  /** Name, inventory path or managed object id. */
  readonly vmName: string;
  readonly moref: string | undefined;
  readonly power: ExportOptions['source_power'];
  readonly sessions: VcenterSessions;
  readonly notes: SourceNotes;
  readonly work: WorkPort;
  readonly settings: ExportSettings;
  readonly percent: () => number;
}

/** A VM of a vCenter: read from a snapshot that is made for the job and removed at its end. */
export class VsphereSource implements Source {
  private readonly notes: NoteBook;
  private session: VimSession | undefined;
  private described: Described | undefined;

  constructor(private readonly options: VsphereOptions) {
    this.notes = new NoteBook(options.notes);
  }

  async describe(): Promise<{ machine: Machine; concerns: readonly string[]; neededBytes: number | undefined }> {
    const { endpoint, sessions, vmName, work } = this.options;
    const { signal } = work;
    this.session = await withLongSpan('export.session', { 'server.address': endpoint.server }, () =>
      sessions.acquire(endpoint, { signal }),
    );
    const moref = this.notes.state.vm ?? this.options.moref;
    const fresh = await describe(this.session, { vmName, ...(moref === undefined ? {} : { moref }) }, { signal });
    this.described = withMachine(fresh, this.notes.state.machine);
    const { machine, committedBytes } = this.described;
    return { machine, concerns: concernsOf(fresh), neededBytes: committedBytes };
  }

  async prepare(choice: TransportChoice): Promise<PreparedSource> {
    const { session, described, notes } = this;
    if (session === undefined || described === undefined) throw new Error('the VM was not described');
    const { jobId, work, settings, percent, power } = this.options;
    const context: FlowContext = { jobId, session, described, notes, work, settings, percent };
    return prepareVm(context, power, choice);
  }

  async cleanup({ thorough } = { thorough: false }): Promise<Remains | undefined> {
    const { vm: noted, snapshot, machine, leases } = this.notes.state;
    if (!thorough && (noted === undefined || (snapshot === undefined && leases.length === 0))) return undefined;
    const { jobId, vmName, settings, work, endpoint, sessions } = this.options;
    const name = snapshotName(jobId);
    const vmWords = machine?.name ?? vmName;
    let vm = noted ?? this.options.moref;
    try {
      this.session ??= await sessions.acquire(endpoint);
      await giveUpNotedLeases({ session: this.session, notes: this.notes });
      vm ??= (await findVm(this.session, vmName)).id;
      const ref = { type: 'VirtualMachine', id: vm };
      const remains = await removeJobSnapshots(this.session, ref, name, vmWords, settings.cleanupRetryMs);
      if ((remains.removed ?? []).length > 0) work.log('info', `Snapshot "${name}" removed`);
      for (const concern of remains.concerns ?? []) work.log('warn', concern);
      return remains;
    } catch (error) {
      // No VM, no snapshot.
      if (error instanceof JobError && error.code === 'VM_NOT_FOUND') return undefined;
      const snapshotLeft = { vm: vm ?? vmName, snapshot: name };
      return { left: orphanMessage(name, vmWords, wordsOf(error)), snapshot: snapshotLeft };
    }
  }

  aftermath(): readonly string[] {
    const { switched_off, machine } = this.notes.state;
    if (!switched_off) return [];
    const name = machine?.name ?? this.described?.machine.name ?? this.options.vmName;
    return [`The source VM ${name} was switched off for this job. ${wayBack(name)}`];
  }

  async close(): Promise<void> {
    await this.session?.close();
  }
}

/** As it was described before the snapshot was made: afterwards disks have the names of deltas, and use what those take up. */
function withMachine(fresh: Described, machine: Machine | undefined): Described {
  if (machine === undefined) return fresh;
  const before = new Map(machine.disks.map(({ key, name, used_bytes }) => [key, { name, used_bytes }]));
  const disks = fresh.disks.map((disk) => {
    const { name = disk.name, used_bytes } = before.get(disk.key) ?? {};
    return { ...disk, name, ...(used_bytes === undefined ? {} : { used_bytes }) };
  });
  return { ...fresh, machine, disks };
}

function concernsOf({ machine, hasTpm, consolidationNeeded }: Described): string[] {
  return [
    ...(hasTpm
      ? [
          `VM ${machine.name} has a virtual TPM: the converted VM gets a blank one. Keys that are sealed in it (BitLocker, LUKS with a TPM) are lost; have their recovery keys at hand`,
        ]
      : []),
    ...(consolidationNeeded
      ? [`vCenter says that the disks of VM ${machine.name} need consolidation; that was so before the export`]
      : []),
  ];
}
