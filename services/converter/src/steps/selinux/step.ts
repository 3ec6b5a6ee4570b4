import type { Step, StepContext } from '../step.js';
import { labelTargets, planSelinux } from './plan.js';

const CONFIG = '/etc/selinux/config';
const RELABEL = '/.autorelabel';
const SETFILES = ['/usr/sbin/setfiles', '/sbin/setfiles'];
const LABEL_LIMIT_MS = 120_000;

/**
 * What was written here has no SELinux labels, and an enforcing guest would not read it. The guest's own `setfiles` labels just
 * these files; where it cannot, the guest is told to label everything at its first start, which restarts it once.
 */
export const selinuxStep: Step = {
  name: 'selinux',
  async run(context) {
    const { appliance, state, dryRun, log, change } = context;
    const { active, policy } = planSelinux((await appliance.readText(CONFIG)) ?? '');
    if (!active) return log('selinux: it is off');
    const files = await existing(context, labelTargets(state.changes));
    if (files.length === 0) return log('selinux: nothing was written');
    if (dryRun) return change('', `${files.length} files would be labelled`);
    if (await labelHere(context, policy, files)) return log(`selinux: ${files.length} files labelled`);
    await appliance.call(['touch', RELABEL]);
    change(RELABEL, 'written: all files are labelled at the first start');
    context.concern('SELINUX', 'selinux: the guest labels all its files at its first start, and restarts once');
  },
};

/** Some were removed. */
async function existing({ appliance }: StepContext, files: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const file of files) if (await appliance.exists(file)) found.push(file);
  return found;
}

async function labelHere({ appliance }: StepContext, policy: string, files: readonly string[]): Promise<boolean> {
  const contexts = `/etc/selinux/${policy}/contexts/files/file_contexts`;
  if (!(await appliance.isFile(contexts))) return false;
  for (const setfiles of SETFILES) {
    if (!(await appliance.isFile(setfiles))) continue;
    await appliance.tryCommand([setfiles, '-F', contexts, ...files], LABEL_LIMIT_MS);
    return allLabelled(appliance, files);
  }
  return false;
}

/** An unlabelled file has no such attribute. */
async function allLabelled(appliance: StepContext['appliance'], files: readonly string[]): Promise<boolean> {
  for (const file of files) {
    const label = await appliance.attempt(['lgetxattr', file, 'security.selinux']);
    if (!label.startsWith('system_u:')) return false;
  }
  return true;
}
