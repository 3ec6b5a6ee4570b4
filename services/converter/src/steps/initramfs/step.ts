import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { JobError } from '@hyper2kvm/contracts';
import { readBootEntries } from '../bootloader/index.js';
import type { Step, StepContext } from '../step.js';
import { installedBackends } from './backends/index.js';
import { bootableKernels, type BootableKernel, type Kernels } from './kernels.js';
import { wantedDrivers } from './plan.js';
import { provideDrivers } from './provide.js';

/** The virtio drivers get into the initramfs of every kernel that the boot loader may start and that lacks them. */
export const initramfsStep: Step = {
  name: 'initramfs',
  async run(context) {
    const { appliance, guest, machine, state } = context;
    const backends = await installedBackends(appliance);
    const entries = await readBootEntries(appliance, guest);
    const found = await bootableKernels(appliance, entries, backends);
    const wanted = wantedDrivers(machine.disks.length);
    const standard = defaultKernel(found);
    for (const { entry, why } of found.skipped) context.log(`initramfs: ${entry.kernel} ${why}`);
    const usable: string[] = [];
    const folder = path.join(context.folder, `initramfs-${randomUUID()}`);
    await mkdir(folder, { recursive: true });
    try {
      for (const kernel of found.kernels) {
        const unable = await provideDrivers(context, { kernel, wanted, backends, folder });
        if (unable === undefined) usable.push(kernel.version);
        else skip(context, kernel, standard, unable);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    state.kernels = usable;
  },
};

/** What starts when nobody chooses has to work; the newest where the entries' default is a rescue system. */
function defaultKernel({ kernels, skipped }: Kernels): BootableKernel {
  const standard = kernels.find(({ isDefault }) => isDefault);
  if (standard !== undefined) return standard;
  const [newest] = kernels;
  const lost = skipped.find(({ entry }) => entry.isDefault);
  if (newest === undefined || (lost !== undefined && !lost.entry.kernel.includes('rescue'))) {
    const what =
      lost === undefined
        ? 'no boot entry of the guest starts a kernel whose modules are there'
        : `the kernel that the guest starts, ${lost.entry.kernel}, ${lost.why}`;
    throw new JobError('GUEST_UNSUPPORTED', what, { step: 'initramfs' });
  }
  return newest;
}

function skip({ concern }: StepContext, kernel: BootableKernel, standard: BootableKernel, why: string): void {
  if (kernel.version === standard.version) {
    const what = `the kernel ${kernel.version}, which the guest starts, ${why}: it cannot use KVM's disks`;
    throw new JobError('GUEST_UNSUPPORTED', what, { step: 'initramfs' });
  }
  concern('INITRAMFS_KERNEL_SKIPPED', `initramfs: the kernel ${kernel.version} ${why}; it was left as it is`);
}
