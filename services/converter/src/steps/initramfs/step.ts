import { JobError } from '@hyper2kvm/contracts';
import type { Appliance } from '../../guest/index.js';
import { bootEntries, compareVersions, kernelVersion, type BootEntry } from '../kernels.js';
import type { Step, StepContext } from '../step.js';
import { findGrubCfg } from '../grub.js';
import type { InitramfsBackend } from './backend.js';
import { dracut } from './dracut.js';
import { initramfsTools } from './initramfs-tools.js';
import { neededModules, type ModuleNeeds } from './plan.js';

/** The first that the guest uses; update-initramfs first, as Debian's may stand beside a dracut that is not in use. */
const BACKENDS = [initramfsTools, dracut];
/** modules.dep of a full distribution kernel has about 1 MiB. */
const MODULES_LIMIT_BYTES = 16 * 1024 * 1024;

interface Kernel {
  readonly version: string;
  readonly image: string;
}

/** The virtio drivers get into the initramfs of every kernel that the boot loader may start and that lacks them. */
export const initramfsStep: Step = {
  name: 'initramfs',
  async run(context) {
    const { appliance, state, log } = context;
    const backend = await firstThatFits(appliance);
    if (backend === undefined) {
      throw new JobError('GUEST_UNSUPPORTED', 'the guest has neither update-initramfs nor dracut', {
        step: 'initramfs',
      });
    }
    const kernels = await bootableKernels(context, backend);
    state.kernels = kernels.map(({ version }) => version);
    for (const kernel of kernels) {
      const needs = await examine(appliance, backend, kernel);
      checkAvailable(context, kernel, needs);
      if (needs.missing.length === 0 && !state.initramfsStale) {
        log(`initramfs for ${kernel.version}: has the virtio drivers`);
      } else await addAndVerify(context, backend, kernel, needs.missing);
    }
  },
};

async function addAndVerify(
  { appliance, log, change }: StepContext,
  backend: InitramfsBackend,
  kernel: Kernel,
  missing: readonly string[],
): Promise<void> {
  const added = missing.length === 0 ? 'what it copies' : missing.join(', ');
  if (missing.length > 0) {
    for (const file of await backend.add(appliance, missing)) change(file, `${added} added`);
  }
  log(`initramfs for ${kernel.version}: rebuilding with ${backend.name} for ${added}`);
  await backend.rebuild(appliance, kernel.version, kernel.image);
  const still = (await examine(appliance, backend, kernel)).missing;
  if (still.length > 0) {
    const what = `${backend.name} left ${still.join(', ')} out of the initramfs for ${kernel.version}`;
    throw new JobError('CONVERSION_STEP', what, { step: 'initramfs' });
  }
  change(kernel.image, `rebuilt with ${added}`);
  log(`initramfs for ${kernel.version}: ${added} added and verified`);
}

function checkAvailable({ concern }: StepContext, kernel: Kernel, { unavailable }: ModuleNeeds): void {
  if (unavailable.length === 0) return;
  const what = `the kernel ${kernel.version} has no ${unavailable.join(', ')}`;
  if (unavailable.includes('virtio_pci') || unavailable.includes('virtio_blk')) {
    throw new JobError('GUEST_UNSUPPORTED', `${what}: it cannot use KVM's disks`, { step: 'initramfs' });
  }
  concern('INITRAMFS_DRIVER_UNAVAILABLE', `initramfs: ${what}`);
}

async function firstThatFits(appliance: Appliance): Promise<InitramfsBackend | undefined> {
  for (const backend of BACKENDS) if (await backend.detect(appliance)) return backend;
  return undefined;
}

/** Kernels with a boot entry and their modules on the disk, newest first. */
async function bootableKernels({ appliance }: StepContext, backend: InitramfsBackend): Promise<Kernel[]> {
  const grub = await findGrubCfg(appliance);
  const entries = grub === undefined ? [] : bootEntries(grub.text);
  const found = new Map<string, Kernel>();
  for (const entry of entries) {
    const version = kernelVersion(entry.kernel);
    if (version === undefined || found.has(version)) continue;
    if (!(await appliance.isDir(`/lib/modules/${version}`))) continue;
    found.set(version, { version, image: await initrdPath(appliance, backend, version, entry) });
  }
  if (found.size === 0) {
    const what = 'no boot entry of the guest starts a kernel whose modules are there';
    throw new JobError('GUEST_UNSUPPORTED', what, { step: 'initramfs' });
  }
  return [...found.values()].toSorted((a, b) => compareVersions(b.version, a.version));
}

/** The entry's path as the guest has it: the boot loader leaves /boot out where it is a file system of its own. */
async function initrdPath(
  appliance: Appliance,
  backend: InitramfsBackend,
  version: string,
  entry: BootEntry,
): Promise<string> {
  const candidates = entry.initrd === undefined ? [] : [entry.initrd, `/boot${entry.initrd}`];
  for (const candidate of [...candidates, backend.image(version)]) {
    if (await appliance.isFile(candidate)) return candidate;
  }
  throw new JobError('GUEST_UNSUPPORTED', `the kernel ${version} of the guest has no initramfs`, { step: 'initramfs' });
}

/** What the initramfs of a kernel lacks. */
export async function examine(appliance: Appliance, backend: InitramfsBackend, kernel: Kernel): Promise<ModuleNeeds> {
  const folder = `/lib/modules/${kernel.version}`;
  const lines = async (name: string): Promise<string[]> =>
    ((await appliance.readText(`${folder}/${name}`, MODULES_LIMIT_BYTES)) ?? '').split('\n');
  return neededModules({
    builtin: await lines('modules.builtin'),
    modules: (await lines('modules.dep')).map((line) => line.split(':')[0] ?? ''),
    listing: await backend.list(appliance, kernel.image),
  });
}
