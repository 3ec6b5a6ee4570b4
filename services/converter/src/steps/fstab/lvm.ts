export interface LvmPlan {
  readonly text: string;
  readonly edits: readonly string[];
  readonly unresolved: readonly string[];
}

/** Any disk of a VM and its partitions, on SCSI and on virtio. */
const ANY_DISK = '^/dev/[sv]d[a-z]+[0-9]*$';
const LINK = /disk\/by-(?:id\/(?!dm-|lvm-|md-)|path\/)/;

/**
 * lvm.conf(5), lvmlocal.conf: `filter = [ "a|^/dev/sda2$|", "r|.*|" ]` hides virtio's disks, so that `sd` becomes
 * `[sv]d` in its patterns: the disks keep their order and so their letters. A pattern for links made from VMware's
 * hardware accepts the VM's disks instead. All outside the arrays stays byte for byte.
 */
export function planLvmFilters(text: string): LvmPlan {
  const edits: string[] = [];
  const unresolved: string[] = [];
  let open = false;
  const lines = text.split('\n').map((line) => {
    const code = withoutComment(line);
    const starts = /^\s*(?:devices\s*\/\s*)?(?:global_filter|filter)\s*=/.test(code);
    if (!open && !starts) return line;
    const quoted = /"[^"]*"/g;
    const changed = code.replace(quoted, (whole) => {
      const pattern = translated(whole.slice(1, -1));
      if (pattern === undefined) {
        unresolved.push(whole);
        return whole;
      }
      if (pattern !== whole.slice(1, -1)) edits.push(`${whole} → "${pattern}"`);
      return `"${pattern}"`;
    });
    const brackets = code.replace(quoted, '');
    open = (open || brackets.includes('[')) && !brackets.includes(']');
    return changed + line.slice(code.length);
  });
  return { text: lines.join('\n'), edits, unresolved };
}

/** Up to a `#` that is in no quotes. */
function withoutComment(line: string): string {
  let quoted = false;
  for (let i = 0; i < line.length; i += 1) {
    if (quoted && line[i] === '\\') i += 1;
    else if (line[i] === '"') quoted = !quoted;
    else if (line[i] === '#' && !quoted) return line.slice(0, i);
  }
  return line;
}

/** One `a|regex|` or `r|regex|`, whose second character is the delimiter; undefined where it names disks in a way not known. */
function translated(element: string): string | undefined {
  const [action = ''] = element;
  if (action !== 'a' && action !== 'r') return element;
  if (LINK.test(element)) {
    if (action === 'r') return element;
    return `a|${ANY_DISK}|`;
  }
  const body = element.slice(2);
  if (/\/dev\/nvme/.test(body)) return undefined;
  const after = body
    .replace(/(\/|^\^?|\(|\|)([sh])d(?=[a-z.[(*$|/]|$)/g, '$1[$2v]d')
    .replace(/(\/|^\^?)\[([a-z]+)\]d/g, (whole, head: string, set: string) =>
      /[sh]/.test(set) && !set.includes('v') ? `${head}[${set}v]d` : whole,
    );
  return element.slice(0, 2) + after;
}

/** How LVM's devices file knows a disk: these come from the virtual hardware, others (PVID, md, LUKS) do not. */
const HARDWARE_ID = /\bIDTYPE=(?:sys_wwid|sys_serial|devname|wwid_\w+|mpath_uuid|nvme_\w+|scsi_\w+)\b/;

/**
 * /etc/lvm/devices/system.devices (RHEL 9): LVM looks at no other disk than those. By VMware's WWIDs it would find none;
 * without the file it looks at all.
 */
export function hidesDisks(devicesFile: string): boolean {
  return devicesFile.split('\n').some((line) => !line.startsWith('#') && HARDWARE_ID.test(line));
}
