import { dependsOnHardware } from '../devices.js';

export interface MdadmPlan {
  readonly text: string;
  readonly edits: readonly string[];
  readonly unresolved: readonly string[];
}

/** What `partitions` covers: /dev/sda1, /dev/sd*, /dev/sd[a-c]1, /dev/disk/by-id/*. */
const OWN_DISKS = /^\/dev\/(?:(?:sd|hd|xvd|vd|nvme)[^/]*|disk\/by-(?:id|path)\/.*)$/;

/**
 * mdadm.conf(5): words, `#` comments, lines that begin with a blank go on the one before. `DEVICE /dev/sd*` keeps mdadm
 * from looking at virtio's disks: it becomes `DEVICE partitions`, mdadm's own default. Arrays are known by their UUID;
 * `devices=` beside it would only get in the way.
 */
export function planMdadm(text: string): MdadmPlan {
  const edits: string[] = [];
  const unresolved: string[] = [];
  const lines = text.split('\n');
  let keyword = '';
  let identified = false;
  const after = lines.map((line, index) => {
    const [first = ''] = line.trimStart().split(/\s/, 1);
    if (first.startsWith('#')) return line;
    if (first !== '' && !/^\s/.test(line)) {
      keyword = first.toUpperCase();
      identified = /\buuid=/i.test(stanza(lines, index));
    }
    if (isKeyword(keyword, 'DEVICE')) {
      const changed = devices(line, keepsPartitions(lines, index));
      if (changed !== line) edits.push(`${line.trim()} → ${changed.trim()}`);
      return changed;
    }
    if (!isKeyword(keyword, 'ARRAY') || !/\bdevices=\S*\/dev\//i.test(line)) return line;
    const named = (/\bdevices=(\S*)/i.exec(line)?.[1] ?? '').split(',').filter((each) => dependsOnHardware(each));
    if (named.length === 0) return line;
    if (!identified) {
      unresolved.push(`${line.trim()}: the array is known by ${named.join(', ')} only`);
      return line;
    }
    edits.push(`devices=${named.join(',')} left out: the array is known by its UUID`);
    return line.replace(/[ \t]?\bdevices=\S*/i, '');
  });
  return { text: after.join('\n'), edits, unresolved };
}

/** Keywords may be cut to three letters. */
const isKeyword = (word: string, whole: string): boolean => word.length >= 3 && whole.startsWith(word);

/** The line and those that go on with it. */
function stanza(lines: readonly string[], index: number): string {
  let end = index + 1;
  while (end < lines.length && /^[ \t]+\S/.test(lines[end] ?? '')) end += 1;
  return lines.slice(index, end).join(' ');
}

const keepsPartitions = (lines: readonly string[], index: number): boolean =>
  /\bpartitions\b/i.test(lines[index] ?? '');

/** Words that name hardware become one `partitions`. */
function devices(line: string, there: boolean): string {
  let covered = there;
  return line.replace(/([ \t]+)(\/dev\/[^\s#]+)/g, (whole, blank: string, device: string) => {
    if (!OWN_DISKS.test(device)) return whole;
    if (covered) return '';
    covered = true;
    return `${blank}partitions`;
  });
}
