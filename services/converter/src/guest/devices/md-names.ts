/** Device of an array (`/dev/md0`, `/dev/md/data`) and its UUID. */
export type ArrayNames = ReadonlyMap<string, string>;

/** mdadm.conf(5): `ARRAY /dev/md/0 metadata=1.2 UUID=17898f1b:7ed32e4f:efe8bcc9:dfe7f703 name=host:0`. */
export function parseMdadmConf(text: string): ArrayNames {
  const names = new Map<string, string>();
  // A line that begins with a blank goes on with the one before it.
  for (const line of text.replaceAll(/\n[ \t]+/g, ' ').split('\n')) {
    const [, device, rest] = /^ARRAY\s+(\/dev\/\S+|\w\S*)\s+(.*)$/i.exec(line) ?? [];
    const uuid = /\buuid=([0-9a-f:]+)/i.exec(rest ?? '')?.[1];
    if (device === undefined || uuid === undefined) continue;
    const path = device.startsWith('/') ? device : `/dev/md/${device}`;
    names.set(path, uuid);
    // Both names of a numbered array lead to it.
    const number = /^\/dev\/md\/?(\d+)$/.exec(path)?.[1];
    if (number !== undefined) for (const alias of [`/dev/md${number}`, `/dev/md/${number}`]) names.set(alias, uuid);
  }
  return names;
}
