import { JobError } from '@hyper2kvm/contracts';
import type { StepContext } from '../../step.js';
import { withEsp, type Esp } from './esp.js';
import { fallbackName, faultOf, planFallback, type FallbackWishes } from './plan.js';

const wishesOf = ({ guest, machine }: StepContext): FallbackWishes => ({
  arch: guest.arch,
  distro: guest.distro,
  secureBoot: machine.secure_boot,
});

/**
 * What the firmware starts without being told: \EFI\BOOT\BOOTX64.EFI, made from the distribution's boot loader where it
 * is missing or does not start the guest. A BIOS machine ignores the ESP.
 * @throws JobError GUEST_UNSUPPORTED where an UEFI machine has no ESP, or no boot loader on it
 */
export async function fixFallback(context: StepContext): Promise<void> {
  const { machine, log } = context;
  if (machine.firmware !== 'efi') return;
  await withEsp(context, async (esp) => {
    if (esp === undefined) {
      const what =
        'the VM starts by UEFI, but none of its file systems is an EFI system partition (FAT with a folder EFI)';
      throw new JobError('GUEST_UNSUPPORTED', what, { step: 'bootloader' });
    }
    const plan = planFallback(esp, wishesOf(context));
    if (plan.missing === true) {
      throw new JobError('GUEST_UNSUPPORTED', plan.worry ?? 'the ESP has no boot loader', { step: 'bootloader' });
    }
    if (plan.worry !== undefined) context.concern('BOOTLOADER_FALLBACK', `bootloader: ${plan.worry}`);
    for (const { from, to } of plan.copies) await copy(context, esp, from, to);
    for (const file of plan.removals) {
      await context.appliance.call(['rm-f', `${esp.folder}/${file}`]);
      context.change(`${esp.folder}/${file}`, 'removed: it would find nothing to start');
    }
    if (plan.copies.length === 0 && plan.worry === undefined)
      log('bootloader: the fallback path of the ESP is in order');
  });
}

async function copy({ appliance, change, log }: StepContext, esp: Esp, from: string, to: string): Promise<void> {
  const [folder = '', name = ''] = to.split('/');
  const existing = esp.vendors.find((vendor) => vendor.name.toLowerCase() === folder.toLowerCase());
  const target = `${esp.folder}/${existing?.name ?? folder}/${name}`;
  if (existing === undefined) await appliance.call(['mkdir-p', `${esp.folder}/${folder}`]);
  await appliance.call(['cp', `${esp.folder}/${from}`, target]);
  log(`bootloader: ${target} made from ${from}`);
  change(target, `copied from ${esp.folder}/${from}`);
}

/** With fix_grub=false. */
export async function worryAboutFallback(context: StepContext): Promise<void> {
  const fault = await fallbackFault(context);
  if (fault !== undefined)
    context.concern('BOOTLOADER_FALLBACK', `bootloader: ${fault.what}; it was left alone, as asked`);
}

export interface FallbackFault {
  readonly what: string;
  /** The guest does not start; else it is only not known whether it does. */
  readonly certain: boolean;
}

/** Why an UEFI machine with blank variables would not start the guest; undefined where it does. */
export async function fallbackFault(context: StepContext): Promise<FallbackFault | undefined> {
  if (context.machine.firmware !== 'efi') return undefined;
  return withEsp(context, async (esp) => {
    if (esp === undefined) return { what: 'the VM starts by UEFI and has no EFI system partition', certain: true };
    const fault = faultOf(esp, wishesOf(context));
    if (fault === undefined) return undefined;
    const certain = esp.fallback !== 'unknown' && esp.fallback !== 'windows';
    return { what: `\\EFI\\BOOT\\${fallbackName(context.guest.arch)} ${fault}`, certain };
  });
}
