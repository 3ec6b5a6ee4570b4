import type { SecretsRotated } from '@hyper2kvm/contracts';
import { Sealer } from '@hyper2kvm/runtime';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { PLACES, type Place } from './places.js';
import { sealedIn } from './sealed.js';
import { replaceSecrets, selectKeys, selectValues } from './statements.js';
import { WaitingSecrets } from './waiting.js';

/** Rows of one statement. */
const CHUNK = 500;

type Key = Record<string, string>;
type Change = Key & { readonly path: readonly string[]; readonly old: string; readonly next: string };

/**
 * Seals all that is stored anew with the current key. May be repeated, broken off, and run by two gateways at once: each secret is
 * replaced only where the one that was read still stands.
 */
@Injectable()
export class SecretRotation {
  constructor(
    private readonly dataSource: DataSource,
    private readonly sealer: Sealer,
    private readonly waiting: WaitingSecrets,
  ) {}

  async rotate(): Promise<SecretsRotated> {
    const changed = { vcenters: new Set(), jobs: new Set(), messages: new Set(), idempotency_keys: new Set() };
    let unreadable = 0;
    for (const place of PLACES) {
      const keys = await this.dataSource.query<Key[]>(selectKeys(place));
      for (let from = 0; from < keys.length; from += CHUNK) {
        const { changes, lost } = await this.#read(place, keys.slice(from, from + CHUNK));
        unreadable += lost;
        for (const row of await this.#write(place, changes)) changed[place.counted].add(textOf(place, row));
      }
    }
    const queued = await this.waiting.count();
    return {
      key_id: this.sealer.keyId,
      resealed: {
        vcenters: changed.vcenters.size,
        jobs: changed.jobs.size,
        messages: changed.messages.size,
        idempotency_keys: changed.idempotency_keys.size,
      },
      unreadable: unreadable + queued.unreadable,
      waiting_with_previous_key: queued.previous,
    };
  }

  /** What has to change in these rows, and how many secrets no key opens. */
  async #read(place: Place, keys: readonly Key[]): Promise<{ changes: Change[]; lost: number }> {
    const rows = await this.dataSource.query<(Key & { value: unknown })[]>(selectValues(place), [JSON.stringify(keys)]);
    const changes: Change[] = [];
    let lost = 0;
    for (const { value, ...key } of rows) {
      for (const { path, sealed } of sealedIn(value)) {
        if (this.sealer.isCurrent(sealed)) continue;
        const next = this.#resealed(sealed);
        if (next === undefined) lost += 1;
        else changes.push({ ...key, path, old: sealed, next } as Change);
      }
    }
    return { changes, lost };
  }

  #resealed(sealed: string): string | undefined {
    try {
      return this.sealer.seal(this.sealer.open(sealed));
    } catch {
      return undefined;
    }
  }

  /** The keys of the rows that were changed. */
  async #write(place: Place, changes: readonly Change[]): Promise<Key[]> {
    const first = [...new Map(changes.map((change) => [textOf(place, change), change])).values()];
    const quick = await this.#update(place, first, false);
    const done = new Set(quick.map((row) => textOf(place, row)));
    // A row with several secrets, or one that somebody held just then.
    const left = changes.filter((change) => !done.has(textOf(place, change)) || !first.includes(change));
    const slow: Key[] = [];
    for (const change of left) slow.push(...(await this.#update(place, [change], true)));
    return [...quick, ...slow];
  }

  async #update(place: Place, changes: readonly Change[], waiting: boolean): Promise<Key[]> {
    if (changes.length === 0) return [];
    const [rows] = await this.dataSource.query<[Key[], number]>(replaceSecrets(place, { waiting }), [
      JSON.stringify(changes),
    ]);
    return rows;
  }
}

const textOf = (place: Place, row: Key): string => JSON.stringify(Object.keys(place.key).map((name) => row[name]));
