import { dependsOnHardware, linkOf, type Resolve } from '../devices.js';

export interface UnitPlan {
  readonly text: string;
  /** The device before and after; undefined where nothing is to be done. */
  readonly edit?: { readonly from: string; readonly to: string };
  readonly unresolved?: string;
}

/** systemd.mount(5), systemd.swap(5): `What=/dev/sdb1` becomes a link by UUID, which both take in every version. */
export function planUnit(file: string, text: string, resolve: Resolve): UnitPlan {
  const match = /^What=["']?(\/dev\/[^\s"']+)["']?[ \t]*$/m.exec(text);
  const from = match?.[1] ?? '';
  if (!match || !dependsOnHardware(from)) return { text };
  const where = /^Where=(\S+)[ \t]*$/m.exec(text)?.[1];
  const type = file.endsWith('.swap') ? 'swap' : /^Type=(\S+)[ \t]*$/m.exec(text)?.[1];
  const hint = { ...(where === undefined ? {} : { mountpoint: where }), ...(type === undefined ? {} : { type }) };
  const to = linkOf(resolve(from, hint));
  if (to === undefined) return { text, unresolved: from };
  const after =
    text.slice(0, match.index) + match[0].replace(from, () => to) + text.slice(match.index + match[0].length);
  return { text: after, edit: { from, to } };
}

/** A swap unit must be named after its device, as `systemd-escape --path --suffix=swap` does. */
export function swapUnitName(device: string): string {
  const escaped = device
    .replace(/^\/+/, '')
    .replaceAll(/[^A-Za-z0-9:_./]/g, (letter) => `\\x${letter.codePointAt(0)?.toString(16).padStart(2, '0')}`)
    .replaceAll('/', '-');
  return `${escaped}.swap`;
}
