import { JobError, Token, type Source, type VcenterRequest, type VsphereSource } from '@hyper2kvm/contracts';
import { Sealer } from '@hyper2kvm/runtime';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { InjectSections, type Sections } from '../config.js';
import { VcenterRow, type JobRow } from '../database/index.js';
import { CONFIGURED, configured } from './configured.js';
import { resolveVcenter, type Known, type Resolved } from './resolve.js';
import { sameServer } from './same-server.js';

/** A vCenter as workers are told of it: the password is sealed. */
export interface ResolvedSource {
  readonly source: VsphereSource;
  /** The connection, stored or configured, whose login it is; null where the login came with the request. */
  readonly connection: string | null;
}

/** Finds the login for a vCenter. */
@Injectable()
export class VcenterSources {
  constructor(
    private readonly dataSource: DataSource,
    private readonly sealer: Sealer,
    @InjectSections() private readonly config: Sections,
  ) {}

  /**
   * `server` is the name of a connection, or a host. Where it is neither a name nor the configured host, the login comes with the
   * request.
   * @throws JobError BAD_REQUEST naming what is missing
   */
  async of(request: VcenterRequest): Promise<ResolvedSource> {
    const known = await this.#knownBy(request.server);
    const resolved = resolveVcenter(request, known);
    return { source: this.#sealed(resolved), connection: resolved.ownLogin ? (known?.name ?? null) : null };
  }

  /**
   * The source of a job as it is now: a connection may have been given another password since the job was asked for, and so may
   * the configured one, whose file is read again. Which datacenter is looked into was chosen with the job.
   * @throws JobError NOT_FOUND where its connection is gone
   */
  async current({ source, connection }: Pick<JobRow, 'source' | 'connection'>): Promise<Source> {
    if (connection === null || source.kind !== 'vsphere') return source;
    const { datacenter } = source;
    return this.#sealed(
      resolveVcenter(datacenter === undefined ? {} : { datacenter }, await this.connection(connection)),
    );
  }

  /** @throws JobError NOT_FOUND */
  async connection(name: string): Promise<Known> {
    const found = name === CONFIGURED ? configured(this.config.vsphere) : await this.#stored(name);
    if (found !== undefined) return found;
    throw new JobError(
      'NOT_FOUND',
      name === CONFIGURED
        ? 'The configuration names no vCenter any more (vsphere.server).'
        : `There is no vCenter connection ${name}: hyperctl vcenter list shows those there are, hyperctl vcenter add stores one.`,
    );
  }

  async #knownBy(server: string | undefined): Promise<Known | undefined> {
    const own = configured(this.config.vsphere);
    if (server === undefined || server === CONFIGURED) return own;
    const stored = await this.#stored(server);
    if (stored !== undefined) return stored;
    return own !== undefined && sameServer(server, own.server) ? own : undefined;
  }

  async #stored(name: string): Promise<Known | undefined> {
    if (!Token.safeParse(name).success) return undefined;
    const row = await this.dataSource.manager.findOneBy(VcenterRow, { name });
    return row === null ? undefined : this.#known(row);
  }

  #known({ name, server, username, passwordSealed, datacenter, tls }: VcenterRow): Known {
    return {
      name,
      server,
      ...(datacenter === null ? {} : { datacenter }),
      tls: () => tls,
      login: () => ({ username, password: this.#open(name, passwordSealed) }),
    };
  }

  #open(name: string, sealed: string): string {
    try {
      return this.sealer.open(sealed);
    } catch (error) {
      throw new JobError(
        'VCENTER_LOGIN',
        `The stored password of vCenter connection ${name} cannot be opened (${(error as Error).message}). Store it again, or give its key as secrets.previous_key_files.`,
        { cause: error },
      );
    }
  }

  #sealed({ settings: { password, ...vcenter } }: Resolved): VsphereSource {
    return { kind: 'vsphere', ...vcenter, password_sealed: this.sealer.seal(password) };
  }
}
