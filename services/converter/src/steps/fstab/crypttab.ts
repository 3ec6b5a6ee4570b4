import { dependsOnHardware, tagOf, type Resolve } from '../devices.js';

export interface CrypttabPlan {
  readonly text: string;
  readonly edits: readonly string[];
  /** What names hardware and was left, one sentence each. */
  readonly unresolved: readonly string[];
}

/**
 * crypttab(5): `name device keyfile options`. The device becomes the UUID of its LUKS header; every other byte stays. A
 * volume with a new random key at each start has no header, and its partition is overwritten: it is never guessed.
 */
export function planCrypttab(text: string, resolve: Resolve): CrypttabPlan {
  const edits: string[] = [];
  const unresolved: string[] = [];
  const lines = text.split('\n').map((line) => {
    const match = /^([ \t]*[^\s#]\S*[ \t]+)(\S+)(?:[ \t]+(\S+))?(?:[ \t]+(\S+))?/.exec(line);
    if (!match) return line;
    const [, head = '', device = '', key = '', options = ''] = match;
    const name = head.trim();
    for (const each of [
      ...key.split(':'),
      ...options.split(',').map((option) => option.slice(option.indexOf('=') + 1)),
    ])
      if (dependsOnHardware(each))
        unresolved.push(`${name} takes its key or header from ${each}, which names hardware`);
    if (!dependsOnHardware(device)) return line;
    const to = tagOf(resolve(device, { type: 'crypto_LUKS' }));
    if (to === undefined || isThrowAway(key, options)) {
      unresolved.push(
        `${name} is on ${device}, which names hardware, and no LUKS volume of this VM is certainly meant`,
      );
      return line;
    }
    edits.push(`${device} → ${to} (${name})`);
    return `${head}${to}${line.slice(head.length + device.length)}`;
  });
  return { text: lines.join('\n'), edits, unresolved };
}

function isThrowAway(key: string, options: string): boolean {
  return /^\/dev\/u?random$/.test(key) || options.split(',').some((each) => each === 'plain' || each === 'swap');
}
