import { JobError } from '@hyper2kvm/contracts';
import { hardwareParameters } from '../bootloader/index.js';
import { deviceResolver } from '../devices.js';
import { FSTAB, planFstab } from '../fstab/index.js';
import { findGrubCfg } from '../grub.js';
import { bootEntries } from '../kernels.js';
import type { Step, StepContext } from '../step.js';

/** Reads again what the steps wrote, as the guest will find it, and fails where anything does not hold. */
export const checkStep: Step = {
  name: 'check',
  async run(context) {
    const faults = [...(await checkFstab(context)), ...(await checkGrub(context)), ...(await checkNames(context))];
    if (faults.length > 0) throw new JobError('CONVERSION_STEP', faults.join('; '), { step: 'check' });
    context.log('check: fstab, boot entries, initramfs and network names hold');
  },
};

async function checkFstab({ appliance, guest, options }: StepContext): Promise<string[]> {
  const text = options.fix_fstab ? await appliance.readText(FSTAB) : undefined;
  if (text === undefined) return [];
  const again = planFstab(text, deviceResolver(guest));
  const wrong = [
    ...again.edits.map(({ from }) => from),
    ...again.unresolved.filter((each) => each.required).map(({ spec }) => spec),
  ];
  const unknown = rootByUuid(text).filter((uuid) => !guest.fileSystems.some((each) => each.uuid === uuid));
  return [
    ...wrong.map((spec) => `${FSTAB} still names ${spec}`),
    ...unknown.map((uuid) => `${FSTAB} wants / on UUID=${uuid}, which no file system of this VM has`),
  ];
}

/** UUIDs of the entry for the root. */
const rootByUuid = (fstab: string): string[] =>
  [...fstab.matchAll(/^[ \t]*UUID=["']?([^\s"']+)["']?[ \t]+\/[ \t]/gm)].map((match) => match[1] ?? '');

async function checkGrub({ appliance, options, guest, state }: StepContext): Promise<string[]> {
  const grub = await findGrubCfg(appliance);
  if (grub === undefined || !options.fix_grub) return [];
  const faults = hardwareParameters(grub.text).map((parameter) => `${grub.path} still says ${parameter}`);
  const entries = bootEntries(grub.text);
  for (const version of state.kernels) {
    if (!entries.some(({ kernel }) => kernel.endsWith(`-${version}`)))
      faults.push(`${grub.path} lost the kernel ${version}`);
  }
  for (const { commandLine, initrd } of entries) {
    const root = /(?:^|\s)root=UUID=(\S+)/.exec(commandLine)?.[1];
    if (root !== undefined && !guest.fileSystems.some(({ uuid }) => uuid === root)) {
      faults.push(`${grub.path} has root=UUID=${root}, which no file system of this VM has`);
    }
    if (initrd !== undefined && !(await appliance.isFile(initrd)) && !(await appliance.isFile(`/boot${initrd}`))) {
      faults.push(`${grub.path} names ${initrd}, which is missing`);
    }
  }
  return [...new Set(faults)];
}

async function checkNames({ appliance, state, guest }: StepContext): Promise<string[]> {
  const faults: string[] = [];
  for (const { name, mac } of state.pinned) {
    const file =
      (guest.systemd ?? 0) >= 240
        ? `/etc/systemd/network/10-hyper2kvm-${name}.link`
        : '/etc/udev/rules.d/70-hyper2kvm-net.rules';
    const text = (await appliance.readText(file)) ?? '';
    if (!text.includes(mac) || !text.includes(name)) faults.push(`${file} does not pin ${name} to ${mac}`);
  }
  return faults;
}
