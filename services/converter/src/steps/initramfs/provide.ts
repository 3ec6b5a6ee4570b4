import path from 'node:path';
import { JobError } from '@hyper2kvm/contracts';
import type { StepContext } from '../step.js';
import { planAddition, readDependencies, type Addition } from './addition.js';
import { addDrivers } from './add-drivers.js';
import type { Archive } from './archive/index.js';
import { BACKENDS, backendFor, type Drivers, type InitramfsBackend } from './backends/index.js';
import { download, readImage, sha1, upload } from './image.js';
import type { BootableKernel } from './kernels.js';
import { lostForRoot, moduleName, neededModules, type ModuleNeeds, type WantedDrivers } from './plan.js';

/** modules.dep of a full distribution kernel has about 1 MiB. */
const MODULES_LIMIT_BYTES = 16 * 1024 * 1024;
/** Without KVM a rebuild takes about a minute; on a machine shared with others far more. */
const REBUILD_LIMIT_MS = 1_800_000;
const KEEP = BACKENDS.flatMap(({ keep = [] }) => keep);

export interface Task {
  readonly kernel: BootableKernel;
  readonly wanted: WantedDrivers;
  readonly backends: readonly InitramfsBackend[];
  /** On the host, for images under way. */
  readonly folder: string;
}

/** A kernel with what its modules and its initramfs are. */
interface Examined {
  readonly version: string;
  readonly image: string;
  /** The image on the host, as it was: what is put back if its successor is no good. */
  readonly file: string;
  readonly archive: Archive;
  readonly builtin: readonly string[];
  readonly dependencies: ReadonlyMap<string, readonly string[]>;
}

/**
 * Sees to it that a kernel finds its root on KVM: by what it has already, by drivers added to its initramfs, or by having
 * that built anew, at most once.
 * @returns why this kernel cannot, where it has no drivers
 * @throws JobError where it failed
 */
export async function provideDrivers(context: StepContext, task: Task): Promise<string | undefined> {
  const { log, state } = context;
  const { kernel, wanted } = task;
  const { version } = kernel;
  const { builtin, dependencies } = await modulesOf(context, version);
  if (kernel.image === undefined) {
    const { missing, unavailable } = neededModules(
      { builtin, modules: [...dependencies.keys()], listing: [] },
      wanted.all,
    );
    const lacks = wanted.required.filter((name) => missing.includes(name) || unavailable.includes(name));
    return lacks.length === 0 ? undefined : `has no initramfs, and ${lacks.join(', ')} not built in`;
  }
  const file = path.join(task.folder, 'image');
  await download(context.appliance, kernel.image, file);
  const archive = await readImage(file, kernel.image, context.signal, KEEP);
  const examined: Examined = { version, image: kernel.image, file, archive, builtin, dependencies };
  const needs = lacking(examined, archive, wanted);
  const impossible = wanted.required.filter((name) => needs.unavailable.includes(name));
  if (impossible.length > 0) return `has no ${impossible.join(', ')}`;
  if (needs.unavailable.length > 0) {
    const what = `initramfs: the kernel ${version} has no ${needs.unavailable.join(', ')}`;
    context.concern('INITRAMFS_DRIVER_UNAVAILABLE', what);
  }
  if (needs.missing.length > 0 || state.initramfsStale) await change(context, task, examined, needs.missing);
  else log(`initramfs for ${version}: has the virtio drivers`);
}

async function modulesOf(
  { appliance }: StepContext,
  version: string,
): Promise<Pick<Examined, 'builtin' | 'dependencies'>> {
  const read = async (name: string): Promise<string> =>
    (await appliance.readText(`/lib/modules/${version}/${name}`, MODULES_LIMIT_BYTES)) ?? '';
  return {
    builtin: (await read('modules.builtin')).split('\n'),
    dependencies: readDependencies(await read('modules.dep')),
  };
}

const lacking = ({ builtin, dependencies }: Examined, { paths }: Archive, wanted: WantedDrivers): ModuleNeeds =>
  neededModules({ builtin, modules: [...dependencies.keys()], listing: paths }, wanted.all);

async function change(context: StepContext, task: Task, kernel: Examined, missing: readonly string[]): Promise<void> {
  const { state, dryRun, log } = context;
  const { version, image, archive, dependencies } = kernel;
  const backend = backendFor(archive.paths, task.backends);
  if (backend === undefined) {
    const known = BACKENDS.map(({ name }) => name).join(', ');
    throw new JobError('GUEST_UNSUPPORTED', `the guest has none of ${known}, to get drivers into ${image}`);
  }
  const addition = state.initramfsStale ? 'a file that it copies was changed' : additionTo(kernel, backend, missing);
  const rebuild = typeof addition === 'string';
  if (rebuild && !state.initramfsStale && !missing.some((name) => task.wanted.required.includes(name))) {
    return log(`initramfs for ${version}: lacks ${missing.join(', ')} alone, which its root does not need`);
  }
  const files = [...dependencies.keys()].filter((each) => missing.includes(moduleName(each) ?? ''));
  await configure(context, backend, { names: missing, files }, rebuild);
  const what = missing.length === 0 ? 'what it copies' : missing.join(', ');
  if (dryRun) {
    return context.change(image, rebuild ? `would be rebuilt with ${backend.name} for ${what}` : `would get ${what}`);
  }
  log(`initramfs for ${version}: ${rebuild ? `rebuilding with ${backend.name} for` : 'adding'} ${what}`);
  if (rebuild) log(`initramfs for ${version}: ${addition}`);
  const after = rebuild
    ? await rebuiltBy(backend, context, task, kernel)
    : await added(backend, context, task, kernel, addition, missing);
  await verify(context, task, kernel, after, backend);
  context.change(image, rebuild ? `rebuilt by ${backend.name} with ${what}` : `${what} added`);
  log(`initramfs for ${version}: ${what} ${rebuild ? 'built in' : 'added'} and verified`);
}

/** How the drivers get into the image as it is, or why it has to be built anew. */
function additionTo(
  { version, archive, dependencies }: Examined,
  { name, addable }: InitramfsBackend,
  missing: readonly string[],
): Addition | string {
  if (addable === undefined) return `${name} makes its images anew`;
  const forbidden = addable.forbids(archive.paths);
  if (forbidden !== undefined) return `it has ${forbidden}`;
  return planAddition(version, archive.paths, dependencies, missing);
}

async function configure(
  context: StepContext,
  backend: InitramfsBackend,
  drivers: Drivers,
  rebuild: boolean,
): Promise<void> {
  if (drivers.names.length === 0 && !rebuild) return;
  for (const { file, before, after } of await backend.configure(context.appliance, drivers, rebuild)) {
    if (after === (before ?? '')) continue;
    await context.edit(file, before, after, `${drivers.names.join(', ')} for every initramfs to come`);
  }
}

async function rebuiltBy(
  backend: InitramfsBackend,
  { appliance, signal }: StepContext,
  { folder }: Task,
  { version, image, archive }: Examined,
): Promise<Archive> {
  await appliance.command(backend.command({ version, image }, archive), REBUILD_LIMIT_MS);
  const file = path.join(folder, 'rebuilt');
  await download(appliance, image, file);
  return readImage(file, image, signal);
}

async function added(
  { addable = { forbids: () => undefined } }: InitramfsBackend,
  { appliance, signal, edit }: StepContext,
  { folder }: Task,
  { version, image, archive, file }: Examined,
  addition: Addition,
  names: readonly string[],
): Promise<Archive> {
  const target = path.join(folder, 'with-drivers');
  await addDrivers({ appliance, version, addition, names, addable, archive, file, target, folder, signal });
  const after = await readImage(target, image, signal);
  await upload(appliance, target, image);
  const noted = addable.noted?.(version);
  const note = noted === undefined ? undefined : await appliance.readText(noted);
  if (noted !== undefined && note !== undefined) {
    await edit(noted, note, note.replace(/^[0-9a-f]{40}/, await sha1(target)), 'the checksum of the initramfs');
  }
  return after;
}

/** What was there for the root must still be there, and the drivers too; else the old image is put back. */
async function verify(
  { appliance, guest }: StepContext,
  { wanted }: Task,
  kernel: Examined,
  after: Archive,
  { name }: InitramfsBackend,
): Promise<void> {
  const { missing } = lacking(kernel, after, wanted);
  const types = guest.fileSystems.map(({ type }) => type);
  const lost = lostForRoot(kernel.archive.paths, after.paths, kernel.builtin, types);
  if (missing.length === 0 && lost.length === 0) return;
  await upload(appliance, kernel.file, kernel.image);
  const what = [
    ...(missing.length > 0 ? [`lacks ${missing.join(', ')}`] : []),
    ...(lost.length > 0 ? [`has lost ${lost.join(', ')}`] : []),
  ];
  const message = `the initramfs that ${name} made for ${kernel.version} ${what.join(' and ')}; the old one was put back`;
  throw new JobError('CONVERSION_STEP', message, { step: 'initramfs' });
}
