import { checkVcenter } from '@hyper2kvm/contracts';
import { Bus, LOGGER, type Logger } from '@hyper2kvm/runtime';
import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { InjectSections, type Sections } from '../config.js';
import { VcenterRow } from '../database/index.js';
import { VcenterSources } from '../vcenters/index.js';
import { serverKey } from '../vcenters/same-server.js';
import { Loop } from './loop.js';
import { VcenterContacts, type Contact } from './vcenter-contacts.js';
import { isRefused, VcenterWatch } from './vcenter-watch.js';

const CONFIGURED = 'default';
const LONGEST_TICK_MS = 60_000;

/** A stored connection, or the configured one. */
interface Login {
  readonly name: string;
  readonly server: string;
  /** Of the configuration nobody knows. */
  readonly changedAt: Date | undefined;
}

/**
 * Has an exporter ask each vCenter whose login is known, where there was no contact for a while: so that /health knows. One gateway
 * asks, one login at a time. A login that was refused is not repeated until it was changed, or somebody used it with success:
 * vCenters lock accounts.
 */
@Injectable()
export class VcenterProber implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #everyMs: number;
  readonly #loop: Loop;
  #first = true;

  constructor(
    private readonly dataSource: DataSource,
    private readonly bus: Bus,
    private readonly sources: VcenterSources,
    private readonly contacts: VcenterContacts,
    private readonly watch: VcenterWatch,
    @InjectSections() private readonly config: Sections,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.#everyMs = config.gateway.vcenter_check_seconds * 1000;
    this.#loop = new Loop({
      tickMs: Math.min(LONGEST_TICK_MS, this.#everyMs / 2),
      pass: async () => {
        // Services start together: an exporter may not be there yet.
        if (this.#first) this.#first = false;
        else await this.#pass();
        return false;
      },
      failed: (error) => this.logger.debug({ err: error }, 'vCenters cannot be asked now'),
    });
  }

  onApplicationBootstrap(): void {
    if (this.#everyMs > 0) this.#loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#loop.stop();
  }

  async #pass(): Promise<void> {
    const logins = await this.#logins();
    await this.#forgetRemoved(logins);
    for (const login of logins) {
      const asked = { server: serverKey(login.server), connection: login.name };
      const contact = await this.contacts.of(asked);
      if (!isDue(contact, login.changedAt, this.#everyMs, Date.now()) || !(await this.contacts.claim(asked))) continue;
      try {
        const { source } = await this.sources.of({ server: login.name });
        await this.watch.watch(source, login.name, this.bus.request(checkVcenter, { source }), 0);
      } catch (error) {
        this.logger.debug({ err: error, connection: login.name }, 'a vCenter was asked in vain');
      }
    }
  }

  /** What was refused to a connection that is gone, or goes to another server now, troubles nobody. */
  async #forgetRemoved(logins: readonly Login[]): Promise<void> {
    for (const contact of await this.contacts.all()) {
      const { connection, server } = contact;
      // Another gateway may have been given a vCenter by its configuration.
      if (!isRefused(contact) || connection === undefined || connection === CONFIGURED) continue;
      if (logins.some((login) => login.name === connection && serverKey(login.server) === server)) continue;
      await this.contacts.forget(contact);
    }
  }

  async #logins(): Promise<Login[]> {
    const { server } = this.config.vsphere;
    const rows = await this.dataSource.manager.find(VcenterRow, { order: { name: 'ASC' } });
    return [
      ...(server === undefined ? [] : [{ name: CONFIGURED, server, changedAt: undefined }]),
      ...rows.map(({ name, server: stored, updatedAt }) => ({ name, server: stored, changedAt: updatedAt })),
    ];
  }
}

/** Whether a login should be tried now. @param changedAt undefined where nobody knows when it was changed */
export function isDue(
  contact: Contact | undefined,
  changedAt: Date | undefined,
  everyMs: number,
  now: number,
): boolean {
  if (contact === undefined) return true;
  const at = Date.parse(contact.time);
  return isRefused(contact) ? changedAt !== undefined && changedAt.getTime() > at : now - at >= everyMs;
}
