import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import {
  JobError,
  type DisksSource,
  type InventoryVm,
  type listVms,
  type Machine,
  type OvaSource,
  type Source,
  type VsphereSource,
} from '@hyper2kvm/contracts';
import { runGuarded, Sealer, SERVICE_CONFIG, spawnGuarded } from '@hyper2kvm/runtime';
import type { z } from 'zod';
import { toSettings, type ExporterConfig } from './config.js';
import { toEndpoint } from './endpoints.js';
import { InventoryCache } from './inventory-cache.js';
import { describeSource } from './sources/index.js';
import { AllowedRoots, locateDisks, type LocatedDisks } from './sources/local/index.js';
import { checkLogin, listVms as readInventory, VimSession, type VcenterCheck } from './sources/vsphere/index.js';
import { Shared } from './shared.js';

/** Below the 13 s, 15 s, 30 s and 60 s that the questions are given: the answer says what was waited for. */
const DESCRIBE_LIMIT_MS = 12_000;
const CHECK_LIMIT_MS = 14_000;
const LOCATE_LIMIT_MS = 27_000;
const LIST_LIMIT_MS = 57_000;

/** Answers what there is: one machine, or a vCenter's VMs. */
@Injectable()
export class InventoryService {
  private readonly cache = new InventoryCache();

  constructor(
    @Inject(SERVICE_CONFIG) private readonly config: ExporterConfig,
    private readonly sealer: Sealer,
    private readonly shared: Shared,
  ) {}

  async describe(source: Source, vmName: string): Promise<Machine> {
    return this.within(source, DESCRIBE_LIMIT_MS, async (signal) =>
      describeSource({
        source: source.kind === 'vsphere' ? { endpoint: toEndpoint(source, this.sealer) } : { files: source },
        vmName,
        settings: toSettings(this.config),
        sessions: this.shared.sessions,
        children: { spawn: spawnGuarded, run: runGuarded },
        signal,
      }),
    );
  }

  /** Where the images of local files lie. @throws JobError SOURCE_INVALID, PATH_DENIED */
  async locate(source: DisksSource | OvaSource, vmName: string): Promise<LocatedDisks> {
    const allowed = new AllowedRoots(toSettings(this.config).allowedRoots);
    const children = { spawn: spawnGuarded, run: runGuarded };
    return this.within(source, LOCATE_LIMIT_MS, (signal) => locateDisks(source, vmName, { allowed, children, signal }));
  }

  /** What the vCenter is, and what the login may do there. A session of its own: it proves the password that is stored now. */
  async check(source: VsphereSource): Promise<VcenterCheck> {
    const endpoint = toEndpoint(source, this.sealer);
    return this.within(source, CHECK_LIMIT_MS, async (signal) => {
      const session = await VimSession.login(endpoint, { signal });
      try {
        return await checkLogin(session, { signal });
      } finally {
        await session.close();
      }
    });
  }

  async list(asked: z.output<typeof listVms.request>): Promise<{ vms: InventoryVm[]; total: number }> {
    const { source, filter, offset, limit } = asked;
    const endpoint = toEndpoint(source, this.sealer);
    // Sealed twice, a password does not look the same; whoever does not know it must not see what it shows.
    const key = createHash('sha256')
      .update(JSON.stringify([endpoint, filter]))
      .digest('hex');
    const all = await this.cache.get(key, offset, async () =>
      this.within(source, LIST_LIMIT_MS, async (signal) => {
        const session = await this.shared.sessions.acquire(endpoint, { signal });
        try {
          return await readInventory(session, filter, { signal });
        } finally {
          await session.close();
        }
      }),
    );
    return { vms: all.slice(offset, offset + limit), total: all.length };
  }

  private async within<T>(source: Source, limitMs: number, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const signal = AbortSignal.timeout(limitMs);
    try {
      return await ask(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
      throw source.kind === 'vsphere'
        ? new JobError('VCENTER_UNREACHABLE', `vCenter ${source.server} did not answer within ${limitMs / 1000} s`)
        : new JobError('SOURCE_INVALID', `the files could not be read within ${limitMs / 1000} s`);
    }
  }
}
