import type { Nic } from '@hyper2kvm/contracts';
import { few } from '../few.js';
import type { Step, StepContext } from '../step.js';
import { CLOUD_CFG, planCloudInit } from './cloud-init.js';
import { cloudFacts, commandLines, hasUdev, networkInInitramfs, usesKernelNames } from './facts.js';
import { RULES_PATH } from './files.js';
import { hardwareOf, type Hardware } from './hardware.js';
import { isEmpty, merged, type Mentions } from './mentions.js';
import { planNetwork } from './plan.js';
import { readNetworkFiles, type NetworkFile } from './read.js';
import { planRules } from './rules.js';

const RULES = '/etc/udev/rules.d';
/** 70-persistent-net.rules of udev, z25_persistent-net.rules of the oldest. */
const PERSISTENT = /persistent-net\.rules$/;
/** Keys of configuration whose values are no one's business: of such a file the report shows no diff. */
const SECRET = /\b(?:psk|password|secret|private-key|wep-key|passphrase|pin)\w*[ \t]*[=:]/i;

/** The NICs keep their old names, pinned to their MACs. */
export const networkStep: Step = {
  name: 'network',
  async run(context) {
    const { appliance, guest, machine, generatedMacs, options, state, log, concern } = context;
    if (!options.fix_network) return log('network: left alone, as asked');
    if (machine.nics.length === 0) return log('network: the VM has no NIC');
    for (const { label, mac } of machine.nics)
      if (mac !== undefined && generatedMacs.includes(mac))
        log(`network: ${label} has no MAC address in the source, it gets ${mac}`);
    const before = state.changes.length;
    const files = await readNetworkFiles(appliance, guest.systemd);
    const found = merged(files.map(mentionsOf));
    const hardware = hardwareOf(machine.nics, guest.systemd, newMacs(context, found));
    const byRule = await fixRules(context, hardware);
    const mentions = await fixFiles(context, files, hardware);
    const lines = await commandLines(appliance, guest);
    const plan = planNetwork({
      nics: machine.nics,
      mentions,
      generatedMacs,
      systemd: guest.systemd,
      kernelNames: await usesKernelNames(appliance, lines),
      byRule,
      udev: await hasUdev(appliance, guest),
    });
    for (const [file, text] of plan.files) await context.edit(file, await appliance.readText(file), text);
    for (const { name, mac } of plan.pinned) log(`network: ${name} stays ${name}, pinned to ${mac}`);
    state.pinned = plan.pinned;
    if (plan.pinned.length === 0) log('network: nothing to pin');
    for (const { code, message } of plan.concerns) concern(code, message);
    await fixCloudInit(context, lines, !isEmpty(mentions));
    if (state.changes.length > before && (plan.files.has(RULES_PATH) || (await networkInInitramfs(appliance, lines)))) {
      state.initramfsStale = true;
    }
  },
};

const mentionsOf = ({ path, text, kind }: NetworkFile): Mentions =>
  kind.read(path.slice(path.lastIndexOf('/') + 1), text);

/** One card whose address the source does not have, and one address that the configuration knows: it meant that card. */
function newMacs({ machine, generatedMacs }: StepContext, { macs }: Mentions): ReadonlyMap<string, string> {
  const [nic, ...others] = machine.nics;
  const [old, ...more] = macs;
  if (nic?.mac === undefined || others.length > 0 || more.length > 0 || old === undefined || old === nic.mac)
    return new Map();
  return generatedMacs.includes(nic.mac) ? new Map([[old, nic.mac]]) : new Map();
}

/** Stale rules go; gives the names that rules gave to the VM's cards. */
async function fixRules(context: StepContext, hardware: Hardware): Promise<ReadonlyMap<string, string>> {
  const { appliance, machine, concern, edit } = context;
  const macs = machine.nics.flatMap(({ mac }) => mac ?? []);
  const names = new Map<string, string>();
  const orphans: string[] = [];
  for (const name of (await appliance.list(RULES)).filter((each) => each.endsWith('.rules'))) {
    const file = `${RULES}/${name}`;
    const text = file === RULES_PATH ? undefined : await appliance.readText(file);
    if (text === undefined) continue;
    const plan = planRules(text, {
      macs,
      macOf: (path) => hardware.macOf(`pci-${path}`),
      generated: PERSISTENT.test(name),
    });
    await edit(file, text, plan.text, ...few(plan.removed.map((line) => `stale rule removed: ${line}`)));
    for (const [mac, to] of plan.names) names.set(mac, to);
    orphans.push(...plan.orphans);
    for (const line of few(plan.unresolved))
      concern('NETWORK_NAME_UNKNOWN', `network: ${file} names VMware's hardware: ${line}`);
  }
  const only = onlyUnknown(context, machine.nics);
  // The one card of a source without addresses can only be the one that the rules knew.
  if (only !== undefined && names.size === 0 && orphans.length === 1 && orphans[0] !== undefined)
    names.set(only, orphans[0]);
  return names;
}

function onlyUnknown({ generatedMacs }: StepContext, nics: readonly Nic[]): string | undefined {
  const mac = nics.length === 1 ? nics[0]?.mac : undefined;
  return mac !== undefined && generatedMacs.includes(mac) ? mac : undefined;
}

/** Ties to VMware's drivers and PCI paths are undone; gives what the configuration says then. */
async function fixFiles(
  { appliance, concern, change, log, edit }: StepContext,
  files: readonly NetworkFile[],
  hardware: Hardware,
): Promise<Mentions> {
  const after: NetworkFile[] = [];
  for (const file of files) {
    const plan = file.kind.rewrite?.(file.text, hardware) ?? { text: file.text, edits: [], unresolved: [] };
    after.push({ ...file, text: plan.text });
    for (const each of few(plan.unresolved))
      concern('NETWORK_NAME_UNKNOWN', `network: ${file.path} asks for VMware's hardware: ${each}`);
    if (plan.text === file.text) continue;
    if (!SECRET.test(file.text)) await edit(file.path, file.text, plan.text, ...few(plan.edits));
    else {
      await appliance.writeText(file.path, plan.text);
      for (const each of few(plan.edits)) log(`network: ${each}`);
      change(file.path, few(plan.edits).join('; '));
    }
  }
  return merged(after.map(mentionsOf));
}

async function fixCloudInit(context: StepContext, lines: readonly string[], configured: boolean): Promise<void> {
  const { appliance, edit, concern } = context;
  const text = planCloudInit({ ...(await cloudFacts(appliance, lines)), configured });
  if (text === undefined) return;
  await edit(CLOUD_CFG, await appliance.readText(CLOUD_CFG), text, 'cloud-init keeps its hands off the network');
  concern(
    'NETWORK_CLOUD_INIT',
    `network: cloud-init would set this guest up anew on KVM; ${CLOUD_CFG} keeps the network, host keys and hostname that are there`,
  );
}
