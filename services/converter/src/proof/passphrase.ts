import type { LuksKey } from '@hyper2kvm/contracts';
import { plainText } from './serial.js';

/** Debian's cryptroot, cryptsetup itself, systemd's agent on a console. */
const QUESTION = /(?:Please unlock disk|[Ee]nter passphrase for)\s+(?:disk\s+)?([^\r\n:]{1,200}):/g;

/** A question may be shown anew, because something else was written over it or because nobody seemed to answer. */
const ROUNDS = 2;

/** What a person would do at the console: one key after the other, for each volume anew. */
export class PassphraseTyper {
  private readonly keys: readonly { readonly device?: string; readonly text: Buffer }[];
  private readonly asked = new Map<string, number>();
  private position = 0;

  constructor(keys: readonly LuksKey[]) {
    this.keys = keys.flatMap(({ device, key_base64 }) => {
      const text = typeable(Buffer.from(key_base64, 'base64'));
      return text === undefined ? [] : [{ text, ...(device === undefined ? {} : { device }) }];
    });
  }

  /**
   * What to type now, with its line end; undefined while nothing new is asked.
   * @param log everything that came over the console so far
   * @throws Error when a volume asks more often than there are keys
   */
  next(log: string): Buffer | undefined {
    QUESTION.lastIndex = 0;
    const asked = [...plainText(log.slice(this.position)).matchAll(QUESTION)].at(-1);
    if (asked === undefined) return undefined;
    this.position = log.length;
    const volume = (asked[1] ?? '').trim();
    const times = this.asked.get(volume) ?? 0;
    this.asked.set(volume, times + 1);
    const keys = this.inOrder(volume);
    const key = keys[times % keys.length];
    if (key === undefined || times >= keys.length * ROUNDS) {
      throw new Error(`it asks for a passphrase that was not given ("${asked[0]}")`);
    }
    return Buffer.concat([key, Buffer.from('\n')]);
  }

  /** Those for a volume that the question names come first. */
  private inOrder(volume: string): Buffer[] {
    const names = (device: string | undefined): boolean => device !== undefined && volume.includes(device);
    const sorted = this.keys.toSorted((a, b) => Number(names(b.device)) - Number(names(a.device)));
    return sorted.map(({ text }) => text);
  }

  /** The text without any passphrase that a guest may have echoed. */
  redact(log: string): string {
    return this.keys.reduce((text, key) => text.replaceAll(key.text.toString('latin1'), '[passphrase]'), log);
  }
}

/** Without the line end that a key file often has; undefined for what no keyboard can type. */
function typeable(key: Buffer): Buffer | undefined {
  const end = key.at(-1) === 0x0a ? -1 : undefined;
  const text = key.subarray(0, end);
  return text.length > 0 && text.every((byte) => byte >= 0x20 && byte !== 0x7f) ? text : undefined;
}
