import { dependsOnHardware, linkOf, tagOf, type Resolve } from '../devices.js';

export interface FstabPlan {
  /** The file as it should be; equal to the input when nothing is to be done. */
  readonly text: string;
  readonly edits: readonly { readonly from: string; readonly to: string; readonly mountpoint: string }[];
  /** Entries that name hardware and could not be resolved: left as they are. */
  readonly unresolved: readonly { readonly spec: string; readonly mountpoint: string; readonly required: boolean }[];
}

/** Without these the guest does not boot. */
const REQUIRED = new Set(['/', '/usr', '/boot', '/boot/efi', '/var']);
/** CDs and DVDs: their names are no disk's. */
const OPTICAL = /(?:^|,)(?:iso9660|udf)(?:,|$)/;

/**
 * fstab(5): blank-separated fields, `#` starts a comment line. Only the first field of an entry, and devices that its
 * options name, are replaced; every other byte stays (comments, alignment, unknown lines, line ends).
 */
export function planFstab(text: string, resolve: Resolve): FstabPlan {
  const edits: { from: string; to: string; mountpoint: string }[] = [];
  const unresolved: { spec: string; mountpoint: string; required: boolean }[] = [];
  const lines = text.split('\n');
  const used = timesUsed(lines);
  const changed = lines.map((line) => {
    const entry = parseEntry(line);
    if (!entry || OPTICAL.test(entry.type)) return line;
    const { start, spec, mountpoint, type } = entry;
    const after = withOptions(line, entry, resolve, (from, to) => {
      if (to === undefined) unresolved.push({ spec: from, mountpoint, required: false });
      else edits.push({ from, to, mountpoint });
    });
    if (!dependsOnHardware(spec)) return after;
    // Disks that take turns at one place are told apart by their names only.
    const known = mountpoint === '/' || (mountpoint.startsWith('/') && used.get(mountpoint) === 1);
    const to = tagOf(resolve(spec, { type, ...(known ? { mountpoint: unescaped(mountpoint) } : {}) }));
    if (to === undefined) {
      const optional = entry.options.some((each) => each === 'noauto' || each === 'nofail');
      unresolved.push({ spec, mountpoint, required: REQUIRED.has(mountpoint) && !optional });
      return after;
    }
    edits.push({ from: spec, to, mountpoint });
    return after.slice(0, start) + fitted(spec, to, after.slice(start));
  });
  return { text: changed.join('\n'), edits, unresolved };
}

interface Entry {
  readonly start: number;
  readonly spec: string;
  readonly mountpoint: string;
  readonly type: string;
  readonly options: readonly string[];
  /** Where the options begin in the line. */
  readonly optionsStart: number;
}

function parseEntry(line: string): Entry | undefined {
  const match = /^([ \t]*)([^\s#]\S*)([ \t]+)(\S+)([ \t]+)(\S+)(?:([ \t]+)(\S+))?/.exec(line);
  if (!match) return undefined;
  const [, indent = '', spec = '', , mountpoint = '', , type = '', , options = ''] = match;
  const optionsStart = match[0].length - options.length;
  return { start: indent.length, spec, mountpoint, type, options: options.split(','), optionsStart };
}

function timesUsed(lines: readonly string[]): Map<string, number> {
  const used = new Map<string, number>();
  for (const line of lines) {
    const mountpoint = parseEntry(line)?.mountpoint;
    if (mountpoint !== undefined) used.set(mountpoint, (used.get(mountpoint) ?? 0) + 1);
  }
  return used;
}

/** `device=/dev/sdb` of btrfs, `logdev=/dev/sdb1` of XFS, `x-systemd.requires=/dev/sdb1`: they take paths. */
function withOptions(
  line: string,
  { options, optionsStart }: Entry,
  resolve: Resolve,
  found: (from: string, to: string | undefined) => void,
): string {
  if (!options.some((each) => dependsOnHardware(valueOf(each)))) return line;
  const after = options.map((each) => {
    const device = valueOf(each);
    if (!dependsOnHardware(device)) return each;
    const meant = resolve(device);
    // Devices of one btrfs share the UUID, so that only the partition tells which is meant.
    const link = meant?.type === 'btrfs' ? linkOf(partitionOnly(meant)) : linkOf(meant);
    found(device, link);
    return link === undefined ? each : `${each.slice(0, each.length - device.length)}${link}`;
  });
  return line.slice(0, optionsStart) + after.join(',') + line.slice(optionsStart + options.join(',').length);
}

const valueOf = (option: string): string => option.slice(option.indexOf('=') + 1);

function partitionOnly<T extends { uuid?: string }>(found: T): Omit<T, 'uuid'> {
  const { uuid: _uuid, ...rest } = found;
  return rest;
}

/** fstab writes blanks as `\040`. */
const unescaped = (field: string): string =>
  field.replace(/\\([0-3][0-7]{2})/g, (_whole, octal: string) => String.fromCodePoint(Number.parseInt(octal, 8)));

/** The rest of the line with its first field replaced; columns stay aligned where blanks leave room for it. */
function fitted(from: string, to: string, rest: string): string {
  const blanks = /^[ ]*/.exec(rest.slice(from.length))?.[0].length ?? 0;
  const tail = rest.slice(from.length + blanks);
  // A tab, or a single blank, aligns nothing.
  return to + ' '.repeat(blanks < 2 ? blanks : Math.max(1, blanks - (to.length - from.length))) + tail;
}
