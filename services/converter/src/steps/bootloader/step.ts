import { JobError } from '@hyper2kvm/contracts';
import type { Appliance } from '../../guest/index.js';
import { deviceResolver, type Resolve } from '../devices.js';
import { findGrubCfg, type GrubCfg } from '../grub.js';
import type { Step, StepContext } from '../step.js';
import { hardwareParameters, planGrubDefaults } from './plan.js';

const DEFAULTS = '/etc/default/grub';
/** grub-mkconfig takes 11 s without KVM and asks every disk. */
const MKCONFIG_LIMIT_MS = 600_000;
/** Debian's name, Red Hat's and SUSE's. */
const MKCONFIG = ['grub-mkconfig', 'grub2-mkconfig'];

/** The kernel's root is named by UUID, in the boot entries and in what makes them. */
export const bootloaderStep: Step = {
  name: 'bootloader',
  async run(context) {
    const { appliance, guest, options, log, concern } = context;
    if (!options.fix_grub) return log('bootloader: left alone, as asked');
    const grub = await findGrubCfg(appliance);
    if (grub === undefined) {
      return concern(
        'BOOTLOADER_UNKNOWN',
        'bootloader: no grub.cfg was found, and no other boot loader is known; it was left alone',
      );
    }
    const defaultsChanged = await fixDefaults(context, deviceResolver(guest));
    const before = hardwareParameters(grub.text);
    if (before.length === 0 && !defaultsChanged) return log('bootloader: the entries of GRUB name no hardware');
    await makeConfig(appliance, grub);
    const left = hardwareParameters((await findGrubCfg(appliance))?.text ?? '');
    if (left.length > 0) {
      throw new JobError('CONVERSION_STEP', `${grub.path} still says ${left.join(', ')}`, { step: 'bootloader' });
    }
    context.change(grub.path, before.length > 0 ? `made anew: ${before.join(', ')} → UUID` : 'made anew');
    log(`bootloader: ${grub.path} made anew; the root is named by UUID`);
  },
};

async function fixDefaults({ appliance, log, concern, change }: StepContext, resolve: Resolve): Promise<boolean> {
  const text = await appliance.readText(DEFAULTS);
  if (text === undefined) return false;
  const plan = planGrubDefaults(text, resolve);
  for (const each of plan.unresolved) {
    concern(
      'BOOTLOADER_DEVICE_UNKNOWN',
      `bootloader: ${each} in ${DEFAULTS} names hardware, and no file system of this VM is certainly meant`,
    );
  }
  if (plan.text === text) return false;
  await appliance.writeText(DEFAULTS, plan.text);
  for (const each of plan.edits) {
    log(`bootloader: ${each}`);
    change(DEFAULTS, each);
  }
  return true;
}

async function makeConfig(appliance: Appliance, grub: GrubCfg): Promise<void> {
  for (const name of MKCONFIG) {
    for (const folder of ['/usr/sbin', '/sbin', '/usr/bin']) {
      if (!(await appliance.isFile(`${folder}/${name}`))) continue;
      await appliance.command([`${folder}/${name}`, '-o', grub.path], MKCONFIG_LIMIT_MS);
      return;
    }
  }
  throw new JobError('GUEST_UNSUPPORTED', `${grub.path} names hardware, and the guest has no grub-mkconfig`, {
    step: 'bootloader',
  });
}
