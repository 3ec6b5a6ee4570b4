import type { InventoryVm } from '@hyper2kvm/contracts';

/** The pages of one listing are asked for one after another: they come from one look at vCenter. */
const KEEP_MS = 30_000;

interface Entry {
  readonly vms: Promise<readonly InventoryVm[]>;
  readonly expires: number;
}

/** Inventories by what was asked for, for as long as somebody turns their pages. */
export class InventoryCache {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** @param offset the first page is always read anew */
  async get(key: string, offset: number, read: () => Promise<readonly InventoryVm[]>): Promise<readonly InventoryVm[]> {
    for (const [old, { expires }] of this.entries) if (expires < this.now()) this.entries.delete(old);
    const found = offset === 0 ? undefined : this.entries.get(key);
    if (found !== undefined) return found.vms;
    const entry = { vms: read(), expires: this.now() + KEEP_MS };
    this.entries.set(key, entry);
    entry.vms.catch(() => {
      if (this.entries.get(key) === entry) this.entries.delete(key);
    });
    return entry.vms;
  }
}
