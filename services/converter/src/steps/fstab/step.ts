import { JobError } from '@hyper2kvm/contracts';
import { deviceResolver, type Resolve } from '../devices.js';
import type { Step, StepContext } from '../step.js';
import { planFstab } from './plan.js';
import { planResume } from './resume.js';

export const FSTAB = '/etc/fstab';
/** Debian's installer writes the swap partition there; every initramfs copies it. */
const RESUME = '/etc/initramfs-tools/conf.d/resume';

/** Entries by /dev/sdX, by-path or by-id become UUIDs. */
export const fstabStep: Step = {
  name: 'fstab',
  async run(context) {
    if (!context.options.fix_fstab) return context.log('fstab: left alone, as asked');
    const resolve = deviceResolver(context.guest);
    await fixFstab(context, resolve);
    await fixResume(context, resolve);
  },
};

async function fixFstab({ appliance, log, concern, change }: StepContext, resolve: Resolve): Promise<void> {
  const text = await appliance.readText(FSTAB);
  if (text === undefined) return concern('FSTAB_MISSING', 'The guest has no /etc/fstab.');
  const plan = planFstab(text, resolve);
  for (const { spec, mountpoint, required } of plan.unresolved) {
    const what = `fstab: ${spec} on ${mountpoint} names hardware, and no file system of this VM is certainly meant`;
    if (required) throw new JobError('CONVERSION_STEP', what, { step: 'fstab' });
    concern('FSTAB_DEVICE_UNKNOWN', `${what}; the line was left as it is`);
  }
  if (plan.text !== text) await appliance.writeText(FSTAB, plan.text);
  for (const { from, to, mountpoint } of plan.edits) {
    log(`fstab: ${from} → ${to} (${mountpoint})`);
    change(FSTAB, `${from} → ${to} (${mountpoint})`);
  }
  if (plan.edits.length === 0) log('fstab: nothing to change');
}

async function fixResume({ appliance, state, log, change }: StepContext, resolve: Resolve): Promise<void> {
  const text = await appliance.readText(RESUME);
  const plan = planResume(text ?? '', resolve);
  if (text === undefined || plan.edits.length === 0) return;
  await appliance.writeText(RESUME, plan.text);
  state.initramfsStale = true;
  for (const edit of plan.edits) {
    log(`fstab: ${edit}`);
    change(RESUME, edit);
  }
}
