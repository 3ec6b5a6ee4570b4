import {
  SecretsRotated,
  VcenterConnection,
  VcenterConnectionList,
  VcenterTest,
  type VcenterConnectionRequest,
  type VcenterConnectionUpdate,
} from '@hyper2kvm/contracts';
import type { Transport } from './transport.js';

/** The gateway asks an exporter (15 s), which asks vCenter. */
const TEST_MS = 45_000;
/** Everything that is stored is sealed anew. */
const ROTATE_MS = 120_000;

/** Stored vCenter connections, and the key that seals them. */
export class ConnectionsApi {
  readonly #http: Transport;
  constructor(http: Transport) {
    this.#http = http;
  }

  async list(): Promise<readonly VcenterConnection[]> {
    return (await this.#http.json(VcenterConnectionList, 'GET', '/api/v1/vcenters')).vcenters;
  }

  one(name: string): Promise<VcenterConnection> {
    return this.#http.json(VcenterConnection, 'GET', pathOf(name));
  }

  add(body: VcenterConnectionRequest): Promise<VcenterConnection> {
    return this.#http.json(VcenterConnection, 'POST', '/api/v1/vcenters', { body });
  }

  update(name: string, body: VcenterConnectionUpdate): Promise<VcenterConnection> {
    return this.#http.json(VcenterConnection, 'PUT', pathOf(name), { body });
  }

  remove(name: string): Promise<void> {
    return this.#http.done('DELETE', pathOf(name));
  }

  test(name: string): Promise<VcenterTest> {
    return this.#http.json(VcenterTest, 'POST', `${pathOf(name)}/test`, { leastMs: TEST_MS, changes: false });
  }

  rotate(): Promise<SecretsRotated> {
    return this.#http.json(SecretsRotated, 'POST', '/api/v1/secrets/rotate', { leastMs: ROTATE_MS });
  }
}

const pathOf = (name: string): string => `/api/v1/vcenters/${encodeURIComponent(name)}`;
