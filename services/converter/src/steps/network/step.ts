import type { Appliance } from '../../guest/index.js';
import type { Step } from '../step.js';
import { boundMacs, ifcfgNames, ifupdownNames, keyfileNames, netplanNames, networkdNames } from './names.js';
import { planNetwork } from './plan.js';
import { planPersistentRules } from './rules.js';

const PERSISTENT_RULES = '/etc/udev/rules.d/70-persistent-net.rules';

/** Each place of configuration: folder, names of its files, reader. */
const PLACES: readonly [folder: string, files: RegExp, read: (file: string, text: string) => string[]][] = [
  ['/etc/network', /^interfaces$/, (_file, text) => ifupdownNames(text)],
  ['/etc/network/interfaces.d', /^[\w.-]+$/, (_file, text) => ifupdownNames(text)],
  ['/etc/netplan', /\.ya?ml$/, (_file, text) => netplanNames(text)],
  ['/etc/NetworkManager/system-connections', /./, (_file, text) => keyfileNames(text)],
  ['/etc/systemd/network', /\.network$/, (_file, text) => networkdNames(text)],
  ['/etc/sysconfig/network-scripts', /^ifcfg-[\w.-]+$/, ifcfgNames],
  ['/etc/sysconfig/network', /^ifcfg-[\w.-]+$/, ifcfgNames],
];
/** A guest with more profiles than this in one folder is not a guest. */
const FILES_LIMIT = 256;

/** The NICs keep their old names, pinned to their MACs. */
export const networkStep: Step = {
  name: 'network',
  async run({ appliance, guest, machine, generatedMacs, options, state, log, concern, change }) {
    if (!options.fix_network) return log('network: left alone, as asked');
    if (machine.nics.length === 0) return log('network: the VM has no NIC');
    for (const { label, mac } of machine.nics)
      if (mac !== undefined && generatedMacs.includes(mac))
        log(`network: ${label} has no MAC address in the source, it gets ${mac}`);
    const byRule = await removeStaleRules(
      appliance,
      machine.nics.flatMap(({ mac }) => mac ?? []),
      (line) => {
        log(`network: stale rule removed: ${line}`);
        change(PERSISTENT_RULES, `removed: ${line}`);
      },
    );
    const configuration = await readConfiguration(appliance);
    const plan = planNetwork({
      nics: machine.nics,
      generatedMacs,
      boundMacs: [...configuration.macs],
      configured: [...configuration.names],
      systemd: guest.systemd,
      kernelNames: await usesKernelNames(appliance),
      byRule,
    });
    for (const [file, text] of plan.files) {
      await appliance.call(['mkdir-p', file.slice(0, file.lastIndexOf('/'))]);
      await appliance.writeText(file, text);
      change(file, 'written');
    }
    state.pinned = plan.pinned;
    for (const { name, mac } of plan.pinned) log(`network: ${name} stays ${name}, pinned to ${mac}`);
    if (plan.pinned.length === 0) log('network: nothing to pin');
    for (const each of plan.concerns) concern('NETWORK_NAME_UNKNOWN', each);
  },
};

async function removeStaleRules(
  appliance: Appliance,
  macs: readonly string[],
  removed: (line: string) => void,
): Promise<ReadonlyMap<string, string>> {
  const text = await appliance.readText(PERSISTENT_RULES);
  if (text === undefined) return new Map();
  const plan = planPersistentRules(text, macs);
  if (plan.removed.length > 0) await appliance.writeText(PERSISTENT_RULES, plan.text);
  for (const line of plan.removed) removed(line);
  return plan.names;
}

async function readConfiguration(appliance: Appliance): Promise<{ names: Set<string>; macs: Set<string> }> {
  const names = new Set<string>();
  const macs = new Set<string>();
  for (const [folder, files, read] of PLACES) {
    const found = (await appliance.list(folder)).filter((file) => files.test(file)).slice(0, FILES_LIMIT);
    for (const file of found) {
      const text = await appliance.readText(`${folder}/${file}`);
      if (text === undefined) continue;
      for (const name of read(file, text)) names.add(name);
      for (const mac of boundMacs(text)) macs.add(mac);
    }
  }
  return { names, macs };
}

async function usesKernelNames(appliance: Appliance): Promise<boolean> {
  const defaults = (await appliance.readText('/etc/default/grub')) ?? '';
  return /^GRUB_CMDLINE_LINUX(?:_DEFAULT)?=.*\bnet\.ifnames=0\b/m.test(defaults);
}
