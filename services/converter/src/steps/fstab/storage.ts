import { few } from '../few.js';
import type { StepContext } from '../step.js';
import { hidesDisks, planLvmFilters } from './lvm.js';
import { planMdadm } from './mdadm.js';

/** Debian's place, then that of the others. */
const MDADM = ['/etc/mdadm/mdadm.conf', '/etc/mdadm.conf'];
const LVM = ['/etc/lvm/lvm.conf', '/etc/lvm/lvmlocal.conf'];
const LVM_DEVICES = '/etc/lvm/devices/system.devices';

/** Which disks mdadm looks at. The initramfs copies it. */
export async function fixMdadm({ appliance, state, concern, edit }: StepContext): Promise<void> {
  for (const file of MDADM) {
    const text = await appliance.readText(file);
    if (text === undefined) continue;
    const plan = planMdadm(text);
    for (const each of few(plan.unresolved)) concern('STORAGE_DEVICE_UNKNOWN', `${file}: ${each}`);
    if (plan.text === text) continue;
    await edit(file, text, plan.text, ...few(plan.edits));
    state.initramfsStale = true;
  }
}

/** Which disks LVM looks at. The initramfs copies these files. */
export async function fixLvm(context: StepContext): Promise<void> {
  const { appliance, state, concern, edit, change, log } = context;
  for (const file of LVM) {
    const text = await appliance.readText(file);
    if (text === undefined) continue;
    const plan = planLvmFilters(text);
    for (const each of few(plan.unresolved))
      concern('STORAGE_DEVICE_UNKNOWN', `${file}: the filter ${each} names hardware, and may hide disks on KVM`);
    if (plan.text === text) continue;
    await edit(file, text, plan.text, ...few(plan.edits));
    state.initramfsStale = true;
  }
  const devices = await appliance.readText(LVM_DEVICES);
  if (devices === undefined || !hidesDisks(devices)) return;
  const kept = `${LVM_DEVICES}.before-hyper2kvm`;
  await appliance.call(['mv', LVM_DEVICES, kept]);
  const summary = `renamed to ${kept}: it names VMware's disks, and LVM would look at no others`;
  log(`fstab: ${LVM_DEVICES} ${summary}`);
  change(LVM_DEVICES, summary);
  state.initramfsStale = true;
}
