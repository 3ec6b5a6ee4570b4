import { JobError, type Health, type Source } from '@hyper2kvm/contracts';
import { LOGGER, type Logger } from '@hyper2kvm/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { serverKey } from '../vcenters/same-server.js';
import { VcenterContacts, type Contact } from './vcenter-contacts.js';

/** What was true longer ago says nothing of now. A refused login stays one: nobody tries it again by himself. */
export const FRESH_MS = 15 * 60_000;
/** The same again is written no more often. */
const SAME_MS = 30_000;
/** /health may be asked by many. */
const CACHED_MS = 2_000;

type State = Health['vsphere_connection'];

/** Notes how each question to a vCenter went: that is what /health can truly say of it. */
@Injectable()
export class VcenterWatch {
  readonly #noted = new Map<string, { state: Contact['state']; at: number }>();
  #cached: { readonly at: number; readonly state: Promise<State> } | undefined;

  constructor(
    private readonly contacts: VcenterContacts,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Failed where any vCenter that there was contact with does not answer or refuses a connection's login. */
  state(): Promise<State> {
    const now = performance.now();
    if (this.#cached === undefined || now - this.#cached.at > CACHED_MS)
      this.#cached = { at: now, state: this.contacts.all().then((all) => stateOf(all, Date.now())) };
    return this.#cached.state;
  }

  /**
   * @param connection whose login it is; null where it came with a request
   * @param sameMs the same outcome is not written again within this time
   */
  async watch<T>(source: Source, connection: string | null, question: Promise<T>, sameMs = SAME_MS): Promise<T> {
    if (source.kind !== 'vsphere') return question;
    try {
      const answer = await question;
      this.#note(source.server, connection, sameMs, 'ok');
      return answer;
    } catch (error) {
      const code = error instanceof JobError ? error.code : undefined;
      // A login that somebody brought with him says nothing of the vCenter.
      if (code === 'VCENTER_UNREACHABLE' || code === 'VCENTER_TLS' || (code === 'VCENTER_LOGIN' && connection !== null))
        this.#note(source.server, connection, sameMs, 'failed', code);
      else if (code?.startsWith('VM_') === true) this.#note(source.server, connection, sameMs, 'ok');
      throw error;
    }
  }

  #note(server: string, connection: string | null, sameMs: number, state: Contact['state'], code?: string): void {
    const key = `${connection}@${serverKey(server)}`;
    const before = this.#noted.get(key);
    const now = performance.now();
    if (before?.state === state && now - before.at < sameMs) return;
    this.#noted.set(key, { state, at: now });
    this.#cached = undefined;
    const contact: Contact = {
      server: serverKey(server),
      state,
      ...(code === undefined ? {} : { code }),
      ...(connection === null ? {} : { connection }),
      time: new Date().toISOString(),
    };
    void this.#write(contact).catch((error: unknown) => {
      this.#noted.delete(key);
      this.logger.debug({ err: error }, 'the contact with a vCenter could not be noted');
    });
  }

  async #write(contact: Contact): Promise<void> {
    // Whoever mistypes the name of a vCenter says nothing of those that there are.
    const isKnown =
      contact.state === 'ok' ||
      contact.connection !== undefined ||
      (await this.contacts.all()).some(({ server }) => server === contact.server);
    if (isKnown) await this.contacts.note(contact);
  }
}

export function stateOf(contacts: readonly Contact[], now: number): State {
  if (contacts.some(isRefused)) return 'failed';
  const newest = new Map<string, Contact>();
  for (const each of contacts.filter(({ time }) => now - Date.parse(time) < FRESH_MS)) {
    const before = newest.get(each.server);
    if (before === undefined || before.time < each.time) newest.set(each.server, each);
  }
  const states = [...newest.values()].map(({ state }) => state);
  return states.includes('failed') ? 'failed' : states.length > 0 ? 'ok' : 'unknown';
}

export const isRefused = ({ code }: Contact): boolean => code === 'VCENTER_LOGIN';
