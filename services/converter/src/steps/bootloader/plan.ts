import { dependsOnHardware, type Resolve } from '../devices.js';
import { bootEntries } from '../kernels.js';

/** Parameters of the kernel's command line that name a device. */
const DEVICE_PARAMETER = /(?<=^|[\s"'=])(root|resume)=(\/dev\/[^\s"']+)/g;

export interface TextPlan {
  readonly text: string;
  readonly edits: readonly string[];
  readonly unresolved: readonly string[];
}

/** root= and resume= of a command line: /dev/sda1 → UUID=…; all else stays. */
export function planCommandLine(text: string, resolve: Resolve): TextPlan {
  const edits: string[] = [];
  const unresolved: string[] = [];
  const changed = text.replace(DEVICE_PARAMETER, (whole, parameter: string, device: string) => {
    if (!dependsOnHardware(device)) return whole;
    const hint = parameter === 'root' ? { mountpoint: '/' } : { type: 'swap' };
    const uuid = resolve(device, hint)?.uuid;
    if (uuid === undefined) {
      unresolved.push(whole);
      return whole;
    }
    edits.push(`${whole} → ${parameter}=UUID=${uuid}`);
    return `${parameter}=UUID=${uuid}`;
  });
  return { text: changed, edits, unresolved };
}

/**
 * /etc/default/grub: the command lines, and GRUB_DISABLE_LINUX_UUID (also for PARTUUID), which makes grub-mkconfig write
 * root=/dev/sda1. Comments and everything else stay byte for byte.
 */
export function planGrubDefaults(text: string, resolve: Resolve): TextPlan {
  const edits: string[] = [];
  const unresolved: string[] = [];
  const lines = text.split('\n').map((line) => {
    const disabled = /^(\s*GRUB_DISABLE_LINUX_UUID=)(["']?)true\2(.*)$/.exec(line);
    if (disabled) {
      edits.push('GRUB_DISABLE_LINUX_UUID: true → false');
      return `${disabled[1]}${disabled[2]}false${disabled[2]}${disabled[3]}`;
    }
    if (!/^\s*GRUB_CMDLINE_LINUX\w*=/.test(line)) return line;
    const plan = planCommandLine(line, resolve);
    edits.push(...plan.edits);
    unresolved.push(...plan.unresolved);
    return plan.text;
  });
  return { text: lines.join('\n'), edits, unresolved };
}

/** Parameters of boot entries that still name hardware: `root=/dev/sda1`. */
export function hardwareParameters(grubCfg: string): string[] {
  const lines = bootEntries(grubCfg).map(({ commandLine }) => commandLine);
  const found = lines.flatMap((line) => [...line.matchAll(DEVICE_PARAMETER)]);
  return [...new Set(found.filter((match) => dependsOnHardware(match[2] ?? '')).map(([whole]) => whole))];
}
