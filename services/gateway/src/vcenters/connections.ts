import { X509Certificate } from 'node:crypto';
import {
  checkVcenter,
  JobError,
  type VcenterConnection,
  type VcenterConnectionList,
  type VcenterConnectionRequest,
  type VcenterConnectionUpdate,
  type VcenterTest,
} from '@hyper2kvm/contracts';
import { Bus, Sealer } from '@hyper2kvm/runtime';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { InjectSections, type Sections } from '../config.js';
import { VcenterRow } from '../database/index.js';
import { VcenterWatch } from '../system/vcenter-watch.js';
import { CONFIGURED } from './configured.js';
import { sameServer } from './same-server.js';
import { shownConfiguration, shownRow } from './shown.js';
import { VcenterSources } from './sources.js';
import { trustOf } from './trust.js';

/** Jobs that a refusal names. */
const NAMED = 5;

/** Connections to vCenters, by their names. No answer has a password. */
@Injectable()
export class VcenterConnections {
  constructor(
    private readonly dataSource: DataSource,
    private readonly sources: VcenterSources,
    private readonly sealer: Sealer,
    private readonly bus: Bus,
    private readonly watch: VcenterWatch,
    @InjectSections() private readonly config: Sections,
  ) {}

  async list(): Promise<VcenterConnectionList> {
    const rows = await this.dataSource.manager.find(VcenterRow, { order: { name: 'ASC' } });
    return { vcenters: [...shownConfiguration(this.config.vsphere), ...rows.map(shownRow)] };
  }

  /** @throws JobError NOT_FOUND */
  async get(name: string): Promise<VcenterConnection> {
    const [own] = name === CONFIGURED ? shownConfiguration(this.config.vsphere) : [];
    return own ?? shownRow(await this.#row(this.dataSource.manager, name));
  }

  /** @throws JobError CONFLICT, BAD_REQUEST */
  async add(request: VcenterConnectionRequest, by: string): Promise<VcenterConnection> {
    const { name, password, ...rest } = request;
    if (name === CONFIGURED)
      throw new JobError('CONFLICT', `${CONFIGURED} is the vCenter of the configuration (section vsphere).`);
    const now = new Date();
    const row = { name, ...columns(rest), createdBy: by, createdAt: now, updatedAt: now };
    const passwordSealed = this.sealer.seal(password);
    const { raw } = await this.dataSource
      .createQueryBuilder()
      .insert()
      .into(VcenterRow)
      .values({ ...row, passwordSealed })
      .orIgnore()
      .returning('name')
      .updateEntity(false)
      .execute();
    if ((raw as unknown[]).length === 0)
      throw new JobError('CONFLICT', `There is a vCenter connection ${name} already.`);
    return shownRow({ ...row, passwordSealed });
  }

  /** @throws JobError NOT_FOUND, BAD_REQUEST, STATE_CONFLICT */
  async update(name: string, request: VcenterConnectionUpdate): Promise<VcenterConnection> {
    this.#assertStored(name);
    const { password, keep_trust: keepTrust, ...rest } = request;
    const { tls, ...others } = columns(rest);
    return this.dataSource.transaction(async (manager) => {
      const row = await this.#row(manager, name, true);
      if (!sameServer(row.server, rest.server)) {
        // Else whoever may change connections could have a password that he was never told sent to a host of his own.
        if (password === undefined)
          throw new JobError(
            'BAD_REQUEST',
            `password: needed with another server. The stored one was given for ${row.server} and is sent nowhere else.`,
          );
        await this.#assertUnused(manager, name, 'Another server is not possible');
      }
      const patch = {
        ...others,
        ...(keepTrust === true ? {} : { tls }),
        ...(password === undefined ? {} : { passwordSealed: this.sealer.seal(password) }),
        updatedAt: new Date(),
      };
      await manager.update(VcenterRow, { name }, patch);
      return shownRow(Object.assign(row, patch));
    });
  }

  /** @throws JobError NOT_FOUND, STATE_CONFLICT, BAD_REQUEST */
  async remove(name: string): Promise<void> {
    this.#assertStored(name);
    await this.dataSource.transaction(async (manager) => {
      await this.#row(manager, name, true);
      await this.#assertUnused(manager, name, 'It cannot be removed');
      await manager.delete(VcenterRow, { name });
    });
  }

  /** Has an exporter log in and look. @throws JobError NOT_FOUND, of the vCenter, NO_WORKER */
  async test(name: string): Promise<VcenterTest> {
    await this.sources.connection(name);
    const { source } = await this.sources.of({ server: name });
    const found = await this.watch.watch(source, name, this.bus.request(checkVcenter, { source }));
    const missing = found.privileges.filter(({ required, held }) => required && !held);
    return { ...found, name, ok: missing.length === 0, missing: missing.map(({ privilege }) => privilege) };
  }

  async #row(manager: EntityManager, name: string, locked = false): Promise<VcenterRow> {
    const lock = locked ? { lock: { mode: 'pessimistic_write' as const } } : {};
    const row = await manager.findOne(VcenterRow, { where: { name }, ...lock });
    if (row === null) throw new JobError('NOT_FOUND', `There is no vCenter connection ${name}.`);
    return row;
  }

  #assertStored(name: string): void {
    if (name === CONFIGURED)
      throw new JobError(
        'BAD_REQUEST',
        `${CONFIGURED} is the vCenter of the configuration: it is changed there (section vsphere).`,
      );
  }

  /** Jobs that wait, export (and may be tried again), or failed in their export would find no login, or another vCenter. */
  async #assertUnused(manager: EntityManager, name: string, what: string): Promise<void> {
    const jobs = await manager.query<{ id: string }[]>(
      `SELECT id FROM jobs
       WHERE connection = $1 AND (status IN ('pending', 'exporting') OR status = 'failed' AND phase = 'export')
       ORDER BY created_at DESC LIMIT ${NAMED + 1}`,
      [name],
    );
    if (jobs.length === 0) return;
    const named = jobs.slice(0, NAMED).map(({ id }) => id);
    throw new JobError(
      'STATE_CONFLICT',
      `${what}: jobs need the connection ${name} (${named.join(', ')}${jobs.length > NAMED ? ' and more' : ''}). Cancel them, or let them end.`,
    );
  }
}

/** @throws JobError BAD_REQUEST for a CA that cannot be read */
function columns({ server, username, datacenter, ...trust }: Omit<VcenterConnectionUpdate, 'password' | 'keep_trust'>) {
  if (trust.ca_pem !== undefined) assertCertificate(trust.ca_pem);
  return { server, username, datacenter: datacenter ?? null, tls: trustOf(trust) ?? { insecure: false } };
}

function assertCertificate(pem: string): void {
  try {
    // Reads it.
    void new X509Certificate(pem).fingerprint256;
  } catch {
    throw new JobError('BAD_REQUEST', 'ca_pem: it is no certificate in PEM form.');
  }
}
