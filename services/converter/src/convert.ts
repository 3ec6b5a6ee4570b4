import path from 'node:path';
import {
  JobError,
  jobFolder,
  type ConversionCompleted,
  type ConversionOptions,
  type ConversionRequested,
  type LuksKey,
  type Machine,
} from '@hyper2kvm/contracts';
import { loadArtifact, type LoadedArtifact } from './artifact/index.js';
import {
  clearWork,
  checkOutputSpace,
  findOutput,
  finish,
  outputDisks,
  readMarker,
  writeMarker,
  type CommitMarker,
  type Manifest,
} from './commit/index.js';
import { prepareCommit } from './prepare-commit.js';
import { chooseEngine, type EngineResult } from './engines/index.js';
import {
  accelerator,
  openGuest,
  storageWords,
  type Accelerator,
  type ApplianceDisk,
  type GuestFacts,
} from './guest/index.js';
import { dateFolder } from './output-root.js';
import { createOverlay, discardEpoch, prepareEpoch } from './overlay/index.js';
import { plannedSteps, stepReporter, stepsOf, type StepReporter } from './progress.js';
import { assertProvable, proveBoot } from './proof/index.js';
import { completedOf } from './result.js';
import { checkSpace, OVERLAY_BYTES } from './space.js';
import { defineOutput, targetOf } from './targets/index.js';
import { completeMachine, domainUuid, findFirmware, planDomain } from './targets/libvirt/index.js';
import type { ConverterSettings, WorkPort } from './work.js';

export type Conversion = Pick<ConversionRequested, 'vm_name' | 'artifact_dir' | 'options' | 'requested_at'> & {
  readonly luksKeys?: readonly LuksKey[];
};
export type Converted = Omit<ConversionCompleted, 'job_id' | 'attempt' | 'worker'>;

/**
 * One conversion, from the artifact to the output folder. Again after a kill it goes on from what is written down: an
 * output that is there, a commit that was begun, else from the untouched artifact.
 */
export async function convert(request: Conversion, settings: ConverterSettings, work: WorkPort): Promise<Converted> {
  try {
    return await run(request, settings, work);
  } catch (error) {
    work.signal.throwIfAborted();
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    const where = (error as NodeJS.ErrnoException).path ?? `${settings.workDir} or the output folder`;
    throw new JobError('DISK_FULL', `no space left in ${where}`, { cause: error });
  }
}

async function run(request: Conversion, settings: ConverterSettings, work: WorkPort): Promise<Converted> {
  const started = performance.now();
  const jobDir = jobFolder(settings.workDir, work.jobId);
  const target = targetOf(settings, request.options.target);
  const dateDir = dateFolder(settings, request.options.output_dir ?? target.outputDir, request.requested_at);
  const planned = plannedSteps(request.options);
  const begun = await readMarker(jobDir);
  const left = begun === undefined ? planned : planned.filter((name) => name === 'commit' || name === 'define');
  const reporter = stepReporter(work, left);
  const manifest =
    (await findOutput(dateDir, request.vm_name, work.jobId)) ??
    (begun === undefined
      ? await fromArtifact(request, { settings, work, reporter, jobDir, dateDir, started })
      : await goOn(jobDir, begun, work, reporter));
  await clearWork(jobDir, request.artifact_dir, settings.keepArtifact);
  const result = { ...completedOf(manifest), artifact_kept: settings.keepArtifact };
  if (!request.options.to_libvirt) return result;
  return reporter.step('define', () => define(result, manifest, request.options, settings, work));
}

/** A commit that was begun is finished; whatever else lies there is not looked at. */
async function goOn(jobDir: string, begun: CommitMarker, work: WorkPort, reporter: StepReporter): Promise<Manifest> {
  work.log('info', 'The conversion was done before; its commit is finished now', { step: 'commit' });
  return reporter.step('commit', (done) => finish(jobDir, begun, work, done));
}

interface Job {
  readonly settings: ConverterSettings;
  readonly work: WorkPort;
  readonly reporter: StepReporter;
  readonly jobDir: string;
  readonly dateDir: string;
  /** performance.now() at the start. */
  readonly started: number;
}

async function fromArtifact(request: Conversion, job: Job): Promise<Manifest> {
  const { work, jobDir } = job;
  const loaded = await loadArtifact(request.artifact_dir, work.signal);
  await checkSpace(job.settings.workDir, OVERLAY_BYTES);
  await checkOutputSpace(job.dateDir, loaded.images, request.options, job.settings.keepArtifact);
  const folder = await prepareEpoch(jobDir, work.attempt, work.epoch);
  try {
    const marker = await convertInto(folder, request, loaded, job);
    await work.assertOwner();
    await writeMarker(jobDir, marker);
    return await job.reporter.step('commit', (done) => finish(jobDir, marker, work, done));
  } catch (error) {
    // Nothing of it is of use to the next attempt; with a marker it is what the commit goes on from.
    if ((await readMarker(jobDir)) === undefined) await discardEpoch(folder);
    throw error;
  }
}

/** All that is done on overlays, up to what the commit needs to know. */
async function convertInto(
  folder: string,
  request: Conversion,
  loaded: LoadedArtifact,
  job: Job,
): Promise<CommitMarker> {
  const { settings, work, reporter, jobDir } = job;
  const { luksKeys = [] } = request;
  const disks: ApplianceDisk[] = [];
  for (const [index, image] of loaded.images.entries()) {
    disks.push(await createOverlay(image, path.join(folder, `disk${index + 1}.overlay.qcow2`), work.signal));
  }
  const { machine, generatedMacs } = completeMachine(loaded.artifact.machine, work.jobId);
  const common = { disks, folder, cacheDir: settings.applianceCacheDir, accelerator: await accelerator(), work };
  const { options } = request;
  const { guest, converted } = await makeBootable({ ...common, machine, generatedMacs, options, luksKeys }, job);
  const target = targetOf(settings, options.target);
  const domain = await reporter.step('domain', async () =>
    planDomain({
      machine: { ...machine, name: request.vm_name },
      generatedMacs,
      uuid: domainUuid(machine, work.jobId),
      guest,
      kernel: converted.kernels[0],
      devices: converted.devices,
      accelerator: common.accelerator,
      firmware: await findFirmware(machine),
      network: target.network,
      networkMaps: { job: options.network_map, target: target.networkMap },
      disks: outputDisks(loaded.images.length, options),
    }),
  );
  const proof = options.verify_boot
    ? await reporter.step('proof', () =>
        proveBoot({
          ...common,
          plan: domain,
          guest,
          luksKeys,
          pinned: converted.pinned,
          evidenceOfFailure: path.join(jobDir, 'evidence'),
          memoryBytes: settings.proofMemoryBytes,
          timeoutMs: options.proof_timeout_seconds * 1000,
        }),
      )
    : undefined;
  return prepareCommit({ ...job, request, loaded, machine, disks, domain, guest, converted, proof, folder });
}

interface MakeBootable {
  readonly disks: readonly ApplianceDisk[];
  readonly folder: string;
  readonly cacheDir: string;
  readonly accelerator: Accelerator;
  readonly machine: Machine;
  readonly generatedMacs: readonly string[];
  readonly options: ConversionOptions;
  readonly luksKeys: readonly LuksKey[];
}

/** Looks what the guest is, and has its engine convert it. */
async function makeBootable(
  input: MakeBootable,
  { settings, work, reporter }: Job,
): Promise<{ guest: GuestFacts; converted: EngineResult }> {
  const { options, luksKeys } = input;
  const opened = await reporter.step('inspect', () =>
    openGuest({ ...input, signal: work.signal, root: options.root, noOs: options.no_os ?? false, luksKeys }),
  );
  const { guest, appliance } = opened;
  try {
    work.log('info', `Detected: ${guest.product}`, { step: 'inspect' });
    work.log('info', `Filesystem: ${storageWords(guest)}`, { step: 'inspect' });
    const mounted = guest.mountpoints.map((each) => `${each.path} on ${each.device}`).join(', ');
    work.log('info', `Mounted: ${mounted === '' ? 'nothing' : mounted}`, { step: 'inspect' });
    for (const { message } of opened.concerns) work.log('warn', message, { step: 'inspect' });
    if (options.verify_boot) assertProvable(guest);
    const engine = chooseEngine(guest, options.engine);
    reporter.plan(stepsOf(engine, options));
    const { virtioWin } = settings;
    const converted = await engine.convert({ ...input, ...opened, virtioWin, dryRun: false, work, reporter });
    return { guest, converted: { ...converted, concerns: [...opened.concerns, ...converted.concerns] } };
  } finally {
    await appliance.stop();
  }
}

async function define(
  result: Converted,
  manifest: Manifest,
  options: ConversionOptions,
  settings: ConverterSettings,
  work: WorkPort,
): Promise<Converted> {
  await work.assertOwner();
  const { uri } = targetOf(settings, options.target);
  const libvirt = { uri, signal: work.signal };
  const defined = await defineOutput(libvirt, manifest.domain, manifest.output_dir, options, work);
  const concerns = defined.concerns.map(({ message }) => message);
  const started = options.start === true ? { started: defined.started } : {};
  return { ...result, concerns: [...result.concerns, ...concerns], libvirt_domain: defined.name, ...started };
}
