export interface RulesPlan {
  readonly text: string;
  readonly removed: readonly string[];
  /** MAC → name of the rules that stay. */
  readonly names: ReadonlyMap<string, string>;
}

/**
 * 70-persistent-net.rules of older guests, written by udev itself: one line per card that it ever saw. A line is stale
 * when its MAC is no card of this VM, or when it also asks for VMware's driver or PCI path. Other lines stay.
 */
export function planPersistentRules(text: string, macs: readonly string[]): RulesPlan {
  const removed: string[] = [];
  const names = new Map<string, string>();
  const kept = text.split('\n').filter((line) => {
    if (!/^\s*SUBSYSTEM=="net"/.test(line)) return true;
    const mac = /ATTR\{address\}=="([0-9a-fA-F:]{17})"/.exec(line)?.[1]?.toLowerCase();
    const name = /NAME="([^"]+)"/.exec(line)?.[1];
    if (mac === undefined || name === undefined) return true;
    const bound = /DRIVERS=="(?!\?\*|virtio)|KERNELS=="|ENV\{ID_PATH\}=="/.test(line);
    if (!macs.includes(mac) || bound) {
      removed.push(line.trim());
      if (!macs.includes(mac)) return false;
    }
    names.set(mac, name);
    return !bound;
  });
  return { text: kept.join('\n'), removed, names };
}
