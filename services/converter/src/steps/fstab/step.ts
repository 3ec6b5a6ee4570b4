import { JobError } from '@hyper2kvm/contracts';
import { deviceResolver, type Resolve } from '../devices.js';
import { few } from '../few.js';
import type { Step, StepContext } from '../step.js';
import { planCrypttab } from './crypttab.js';
import { planFstab } from './plan.js';
import { planDracut, planResume } from './resume.js';
import { fixLvm, fixMdadm } from './storage.js';
import { fixUnits } from './unit-files.js';

export const FSTAB = '/etc/fstab';
const CRYPTTAB = '/etc/crypttab';
const INITRAMFS_TOOLS = '/etc/initramfs-tools';
/** A folder with more files than this is none of a distribution's. */
const FILES_LIMIT = 256;

/** Entries by /dev/sdX, by-path or by-id become UUIDs, wherever the guest says where its storage is. */
export const fstabStep: Step = {
  name: 'fstab',
  async run(context) {
    if (!context.options.fix_fstab) return context.log('fstab: left alone, as asked');
    const resolve = deviceResolver(context.guest);
    const etc = new Set(await context.appliance.list('/etc'));
    const before = context.state.changes.length;
    if (etc.has('fstab')) await fixFstab(context, resolve);
    else context.concern('FSTAB_MISSING', 'The guest has no /etc/fstab.');
    if (etc.has('crypttab')) await fixCrypttab(context, resolve);
    if (etc.has('initramfs-tools')) await fixResume(context, resolve);
    if (etc.has('dracut.conf') || etc.has('dracut.conf.d')) await fixDracut(context, resolve);
    if (etc.has('mdadm') || etc.has('mdadm.conf')) await fixMdadm(context);
    if (etc.has('lvm')) await fixLvm(context);
    await fixUnits(context, resolve);
    if (context.state.changes.length === before) context.log('fstab: nothing to change');
  },
};

async function fixFstab({ appliance, concern, edit }: StepContext, resolve: Resolve): Promise<void> {
  const text = await appliance.readText(FSTAB);
  if (text === undefined) return concern('FSTAB_MISSING', 'The guest has no /etc/fstab.');
  const plan = planFstab(text, resolve);
  const left = plan.unresolved.map(({ spec, mountpoint, required }) => {
    const what = `${spec} on ${mountpoint} names hardware, and no file system of this VM is certainly meant`;
    if (required) throw new JobError('CONVERSION_STEP', `fstab: ${what}`, { step: 'fstab' });
    return `${what}; the line was left as it is`;
  });
  for (const each of few(left)) concern('FSTAB_DEVICE_UNKNOWN', `fstab: ${each}`);
  const edits = plan.edits.map(({ from, to, mountpoint }) => `${from} → ${to} (${mountpoint})`);
  await edit(FSTAB, text, plan.text, ...few(edits));
}

/** The initramfs copies it: that is where the root is opened. */
async function fixCrypttab({ appliance, state, concern, edit }: StepContext, resolve: Resolve): Promise<void> {
  const text = await appliance.readText(CRYPTTAB);
  if (text === undefined) return;
  const plan = planCrypttab(text, resolve);
  for (const each of few(plan.unresolved)) concern('CRYPTTAB_DEVICE_UNKNOWN', `crypttab: ${each}`);
  if (plan.text === text) return;
  await edit(CRYPTTAB, text, plan.text, ...few(plan.edits));
  state.initramfsStale = true;
}

/** Debian's installer writes the swap partition there; every initramfs copies it. */
async function fixResume(context: StepContext, resolve: Resolve): Promise<void> {
  const names = await context.appliance.list(`${INITRAMFS_TOOLS}/conf.d`);
  const files = names.slice(0, FILES_LIMIT).map((name) => `${INITRAMFS_TOOLS}/conf.d/${name}`);
  for (const file of [`${INITRAMFS_TOOLS}/initramfs.conf`, ...files])
    await fixInitramfsFile(context, file, planResume, resolve);
}

async function fixDracut(context: StepContext, resolve: Resolve): Promise<void> {
  const names = (await context.appliance.list('/etc/dracut.conf.d')).filter((name) => name.endsWith('.conf'));
  const files = names.slice(0, FILES_LIMIT).map((name) => `/etc/dracut.conf.d/${name}`);
  for (const file of ['/etc/dracut.conf', ...files]) await fixInitramfsFile(context, file, planDracut, resolve);
}

async function fixInitramfsFile(
  { appliance, state, concern, edit }: StepContext,
  file: string,
  plan: typeof planResume,
  resolve: Resolve,
): Promise<void> {
  const text = await appliance.readText(file);
  if (text === undefined) return;
  const planned = plan(text, resolve);
  for (const each of few(planned.unresolved))
    concern('FSTAB_DEVICE_UNKNOWN', `${file}: ${each} names hardware, and no device of this VM is certainly meant`);
  if (planned.text === text) return;
  await edit(file, text, planned.text, ...few(planned.edits));
  state.initramfsStale = true;
}
