import { createHash } from 'node:crypto';
import { BUCKETS } from '@hyper2kvm/contracts';
import { Bus } from '@hyper2kvm/runtime';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { serverKey } from '../vcenters/same-server.js';

/** How the last question to a vCenter with one login went. */
export const Contact = z.object({
  server: z.string(),
  state: z.enum(['ok', 'failed']),
  code: z.string().optional(),
  /** The stored or configured connection whose login it was; missing where the login came with a request. */
  connection: z.string().optional(),
  time: z.iso.datetime(),
  /** Since when a gateway asks it, so that the others do not. */
  asked_at: z.iso.datetime().optional(),
});
export type Contact = z.infer<typeof Contact>;

type Asked = Pick<Contact, 'server' | 'connection'>;

/** A mark of a gateway that ended in between counts no longer than the question may take. */
const ASKING_MS = 60_000;
const PREFIX = `$KV.${BUCKETS.control}.vcenter.`;

/** The last contact with each vCenter, in the bucket `control`: every gateway sees the same, and so does one that was restarted. */
@Injectable()
export class VcenterContacts {
  constructor(private readonly bus: Bus) {}

  async all(): Promise<Contact[]> {
    const { state } = await this.bus.jsm.streams.info(`KV_${BUCKETS.control}`, { subjects_filter: `${PREFIX}>` });
    const keys = Object.keys(state.subjects ?? {}).map((subject) => `vcenter.${subject.slice(PREFIX.length)}`);
    const found = await Promise.all(keys.map((key) => this.#read(key)));
    return found.flatMap(({ contact }) => contact ?? []);
  }

  async of(login: Asked): Promise<Contact | undefined> {
    return (await this.#read(keyOf(login))).contact;
  }

  async forget(login: Asked): Promise<void> {
    await this.bus.buckets.control.purge(keyOf(login));
  }

  async note(contact: Contact): Promise<void> {
    await this.bus.buckets.control.put(keyOf(contact), JSON.stringify(contact));
  }

  /** True for one gateway, which is to ask this vCenter then. */
  async claim(login: Asked, now = Date.now()): Promise<boolean> {
    const { contact, revision } = await this.#read(keyOf(login));
    if (contact?.asked_at !== undefined && now - Date.parse(contact.asked_at) < ASKING_MS) return false;
    const asked_at = new Date(now).toISOString();
    // Nothing is known of one that was never asked: a contact of long ago stands for that.
    const marked = { ...login, state: 'ok' as const, time: new Date(0).toISOString(), ...contact, asked_at };
    return this.bus.buckets.control.put(keyOf(login), JSON.stringify(marked), { previousSeq: revision }).then(
      () => true,
      () => false,
    );
  }

  async #read(key: string): Promise<{ contact: Contact | undefined; revision: number }> {
    const entry = await this.bus.buckets.control.get(key);
    if (entry?.operation !== 'PUT') return { contact: undefined, revision: entry?.revision ?? 0 };
    const parsed = Contact.safeParse(entry.json());
    return { contact: parsed.success ? parsed.data : undefined, revision: entry.revision };
  }
}

/** A login of its own each: one that is refused says nothing of another one. A server may be written with letters that no key has. */
const keyOf = ({ server, connection = '' }: Asked): string =>
  `vcenter.${createHash('sha256')
    .update(`${connection}@${serverKey(server)}`)
    .digest('hex')
    .slice(0, 32)}`;
