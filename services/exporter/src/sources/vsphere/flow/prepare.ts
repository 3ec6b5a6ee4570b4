import { JobError, type SourcePower, type TransportChoice } from '@hyper2kvm/contracts';
import { withLongSpan } from '@hyper2kvm/runtime';
import type { PreparedSource } from '../../source.js';
import { readBackings, type DiskBacking } from '../backings.js';
import { Accesses } from './accesses.js';
import { untilStopped, withVcenter, type FlowContext } from './context.js';
import { bindingOf, difference, fingerprints, lookAtFiles, readChangeVersion, type Files } from './fingerprint.js';
import { giveUpNotedLeases } from './lease.js';
import { Leases } from './leases.js';
import type { Fingerprint } from './notes.js';
import { applySourcePower } from './power.js';
import { ensureSnapshot, type JobSnapshot } from './snapshot.js';
import { planTransport, type TransportPlan } from './transport.js';
import { watchAge } from './watch-age.js';
import { watchDatastore } from './watch-datastore.js';
import { watchDelta } from './watch-delta.js';
import { SourceWatch } from './watch.js';

/** What stands on vCenter for this job once its disks can be read. */
interface Bound {
  readonly snapshot: JobSnapshot;
  readonly backings: readonly DiskBacking[];
  readonly files: Files;
  readonly changeVersion: string | undefined;
  readonly fingerprints: Record<string, Fingerprint | null>;
}

/** The source's power, the snapshot, what it is bound to, and the way of each disk. */
export async function prepareVm(
  context: FlowContext,
  power: SourcePower,
  choice: TransportChoice,
): Promise<PreparedSource> {
  const job = { 'job.id': context.jobId };
  // A lease of a start that was killed holds the VM.
  await giveUpNotedLeases(context);
  const cutover = await (power === 'keep'
    ? applySourcePower(context, power)
    : withLongSpan('export.power', { ...job, 'source.power': power }, () => applySourcePower(context, power)));
  const unusable = cutover.switchedOff ? 'the VM was running after it was taken, and is switched off now' : undefined;
  const bound = await withLongSpan('export.snapshot', job, async (span) => {
    const made = await bind(context, unusable);
    span.setAttributes({ 'snapshot.fresh': made.snapshot.fresh });
    return made;
  });
  const plans = planAll(context, bound, choice);
  const { described, work } = context;
  const leases = new Leases(context, bound.snapshot.ref, described.disks.length);
  const accesses = new Accesses(context, leases, bound.backings, bound.files, plans, choice === 'auto');
  for (const { index, name } of described.disks) {
    const plan = plans.get(index);
    if (plan !== undefined) work.log('info', `Disk ${index} (${name}): ${sentence(plan)}`);
  }
  const watch = new SourceWatch(context, [watchDatastore, watchDelta(), watchAge(bound.snapshot)]);
  return {
    binding: bindingOf(described.vm.id, bound.snapshot.ref.id, bound.changeVersion, bound.fingerprints),
    concerns: cutover.concerns,
    lost: watch.lost,
    access: async (disk, attempt) => accesses.open(disk, attempt),
    otherWay: (disk, failure) => accesses.otherWay(disk, failure),
    digestsOf: async ({ index }) => leases.digestsOf(index),
    complete: async () => leases.complete(),
    close: async () => {
      await watch.stop();
      await leases.close();
    },
  };
}

const sentence = ({ transport, reason }: TransportPlan): string =>
  transport === 'datastore'
    ? `comes by its file on the datastore, because ${reason}`
    : `comes by the export stream (nfc), because ${reason}`;

/** A snapshot whose files are still what they were when it was made; where they are not, a new one. */
async function bind(context: FlowContext, unusable: string | undefined): Promise<Bound> {
  const bound = await look(context, await ensureSnapshot(context, unusable));
  if (bound.snapshot.fresh) return note(context, bound);
  const changed = difference(context.notes.state, bound.fingerprints, bound.changeVersion);
  if (changed === undefined) return note(context, bound);
  context.work.log('warn', `The snapshot of the earlier start cannot be used: ${changed}`);
  return note(context, await look(context, await ensureSnapshot(context, changed)));
}

async function look(context: FlowContext, snapshot: JobSnapshot): Promise<Bound> {
  const { session, described } = context;
  return withVcenter(session, `reading the snapshot of VM ${described.machine.name}`, async () => {
    const backings = await readBackings(session, described.vm, snapshot.ref, untilStopped(context));
    const files = await lookAtFiles(context, backings);
    return {
      snapshot,
      backings,
      files,
      changeVersion: await readChangeVersion(context),
      fingerprints: fingerprints(backings, files),
    };
  });
}

async function note({ notes }: FlowContext, bound: Bound): Promise<Bound> {
  await notes.set({ files: bound.fingerprints, change_version: bound.changeVersion });
  return bound;
}

/** @throws JobError TRANSPORT_UNAVAILABLE naming each disk that cannot come as it was asked for */
function planAll(context: FlowContext, bound: Bound, choice: TransportChoice): Map<number, TransportPlan> {
  const { described, settings } = context;
  const plans = new Map<number, TransportPlan>();
  const unavailable: string[] = [];
  for (const { index, name, capacity_bytes, used_bytes } of described.disks) {
    const plan = planTransport({
      choice,
      minUsedRatio: settings.datastoreMinUsedRatio,
      capacityBytes: capacity_bytes,
      usedBytes: used_bytes,
      backing: bound.backings.find((backing) => backing.index === index),
      file: bound.files.get(index),
    });
    plans.set(index, plan);
    if (plan.unavailable !== undefined) unavailable.push(`disk ${index} (${name}): ${plan.unavailable}`);
  }
  if (unavailable.length > 0)
    throw new JobError(
      'TRANSPORT_UNAVAILABLE',
      `the transport "datastore" was asked for and cannot be used: ${unavailable.join('; ')}`,
    );
  return plans;
}
