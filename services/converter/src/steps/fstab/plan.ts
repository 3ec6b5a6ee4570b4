import { dependsOnHardware, type Resolve } from '../devices.js';

export interface FstabPlan {
  /** The file as it should be; equal to the input when nothing is to be done. */
  readonly text: string;
  readonly edits: readonly { readonly from: string; readonly to: string; readonly mountpoint: string }[];
  /** Entries that name hardware and could not be resolved: left as they are. */
  readonly unresolved: readonly { readonly spec: string; readonly mountpoint: string; readonly required: boolean }[];
}

/** Without these the guest does not boot. */
const REQUIRED = new Set(['/', '/usr', '/boot', '/boot/efi', '/var']);

/**
 * fstab(5): blank-separated fields, `#` starts a comment line. Only the first field of an entry is replaced; every other
 * byte stays (comments, alignment, unknown lines, line ends).
 */
export function planFstab(text: string, resolve: Resolve): FstabPlan {
  const edits: { from: string; to: string; mountpoint: string }[] = [];
  const unresolved: { spec: string; mountpoint: string; required: boolean }[] = [];
  const lines = text.split('\n').map((line) => {
    const entry = parseEntry(line);
    if (!entry || !dependsOnHardware(entry.spec)) return line;
    const { spec, mountpoint, type, options } = entry;
    const uuid = resolve(spec, { type, ...(mountpoint.startsWith('/') ? { mountpoint } : {}) })?.uuid;
    if (uuid === undefined) {
      const optional = options.includes('noauto') || options.includes('nofail');
      unresolved.push({ spec, mountpoint, required: REQUIRED.has(mountpoint) && !optional });
      return line;
    }
    const to = `UUID=${uuid}`;
    edits.push({ from: spec, to, mountpoint });
    return line.slice(0, entry.start) + fitted(spec, to, line.slice(entry.start));
  });
  return { text: lines.join('\n'), edits, unresolved };
}

interface Entry {
  readonly start: number;
  readonly spec: string;
  readonly mountpoint: string;
  readonly type: string;
  readonly options: readonly string[];
}

function parseEntry(line: string): Entry | undefined {
  const match = /^([ \t]*)([^\s#]\S*)[ \t]+(\S+)[ \t]+(\S+)(?:[ \t]+(\S+))?/.exec(line);
  if (!match) return undefined;
  const [, indent = '', spec = '', mountpoint = '', type = '', options = ''] = match;
  return { start: indent.length, spec, mountpoint, type, options: options.split(',') };
}

/** The rest of the line with its first field replaced; columns stay aligned where blanks leave room for it. */
function fitted(from: string, to: string, rest: string): string {
  const blanks = /^[ ]*/.exec(rest.slice(from.length))?.[0].length ?? 0;
  const tail = rest.slice(from.length + blanks);
  // A tab, or a single blank, aligns nothing.
  return to + ' '.repeat(blanks < 2 ? blanks : Math.max(1, blanks - (to.length - from.length))) + tail;
}
