import { createHmac, randomBytes } from 'node:crypto';
import { JobError, type Source, type VsphereSource } from '@hyper2kvm/contracts';
import { Sealer } from '@hyper2kvm/runtime';
import { Injectable } from '@nestjs/common';
import { serverKey } from '../vcenters/same-server.js';

/** So long a refused login is not tried again by other jobs. vCenter counts failures over 180 s by default. */
const REFUSED_MS = 60_000;
const MOST_KNOWN = 10_000;

interface Refusal {
  readonly error: JobError;
  readonly until: number;
}

/**
 * Thousands of jobs may carry one wrong password, and vCenter locks an account after five failures by default. So the first
 * job that uses a login proves it, while the others wait for it; where it is refused, they are too, without asking again.
 */
@Injectable()
export class Logins {
  /** Passwords are compared by their digest, and only within this process. */
  readonly #salt = randomBytes(32);
  readonly #good = new Set<string>();
  readonly #refused = new Map<string, Refusal>();
  readonly #first = new Map<string, Promise<void>>();

  constructor(private readonly sealer: Sealer) {}

  /**
   * Asks with the login of a source.
   * @throws JobError VCENTER_LOGIN where it was refused a moment ago; else what `ask` throws
   */
  async use<T>(source: Source, ask: () => Promise<T>): Promise<T> {
    if (source.kind !== 'vsphere') return ask();
    const key = this.#key(source);
    for (;;) {
      const refusal = this.#refused.get(key);
      if (refusal !== undefined && performance.now() < refusal.until) throw refusal.error;
      const first = this.#good.has(key) ? undefined : this.#first.get(key);
      if (first === undefined) break;
      await first;
    }
    const asked = this.#asked(key, ask);
    if (!this.#good.has(key)) {
      const done = asked.then(
        () => {},
        () => {},
      );
      this.#first.set(
        key,
        done.then(() => {
          this.#first.delete(key);
        }),
      );
    }
    return asked;
  }

  async #asked<T>(key: string, ask: () => Promise<T>): Promise<T> {
    try {
      const answer = await ask();
      this.#prove(key);
      return answer;
    } catch (error) {
      if (error instanceof JobError && error.code === 'VCENTER_LOGIN') {
        this.#good.delete(key);
        if (this.#refused.size >= MOST_KNOWN) this.#refused.clear();
        this.#refused.set(key, { error, until: performance.now() + REFUSED_MS });
      } else if (error instanceof JobError && /^(VM_|VCENTER_PERMISSION$)/.test(error.code)) this.#prove(key);
      throw error;
    }
  }

  #prove(key: string): void {
    this.#refused.delete(key);
    if (this.#good.size >= MOST_KNOWN) this.#good.clear();
    this.#good.add(key);
  }

  #key({ server, username, password_sealed: sealed }: VsphereSource): string {
    const text = JSON.stringify([serverKey(server), username, this.#password(sealed)]);
    return createHmac('sha256', this.#salt).update(text).digest('base64');
  }

  /** One that cannot be opened is told apart by its seal: the exporter says what is wrong with it. */
  #password(sealed: string): string {
    try {
      return this.sealer.open(sealed);
    } catch {
      return sealed;
    }
  }
}
