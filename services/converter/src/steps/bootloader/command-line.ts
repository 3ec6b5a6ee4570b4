/** The kernel's command line, wherever a boot loader keeps it. */
import type { FileSystem } from '../../guest/index.js';
import { dependsOnHardware, tagOf, type DeviceHint, type Resolve } from '../devices.js';
import { chained, unchanged, type TextPlan } from './text-plan.js';

/** Parameters that name a block device: of the kernel and systemd, of genkernel, of mkinitcpio's and Alpine's initramfs. */
const PARAMETERS: Readonly<Record<string, DeviceHint>> = {
  root: { mountpoint: '/' },
  real_root: { mountpoint: '/' },
  'mount.usr': { mountpoint: '/usr' },
  resume: { type: 'swap' },
  real_resume: { type: 'swap' },
  cryptdevice: { type: 'crypto_LUKS' },
  cryptroot: { type: 'crypto_LUKS' },
  crypt_root: { type: 'crypto_LUKS' },
};
const DEVICE_PARAMETER =
  /(?<=^|[\s"'=])(root|real_root|mount\.usr|resume|real_resume|cryptdevice|cryptroot|crypt_root)=(\/dev\/[^\s"']+)/g;

/** What is wanted of every command line. */
export interface CommandLineWishes {
  readonly resolve: Resolve;
  /** `console=ttyS0` is added where it is missing. */
  readonly serialConsole: boolean;
}

export interface CommandLineFacts {
  /** Of an entry for another system: its root is not this guest's. */
  readonly foreign?: boolean;
  /** The kernel itself finds the root: it knows PARTUUID, but not UUID. */
  readonly withoutInitramfs?: boolean;
  /** Holds a variable that stands for arguments: the console is added there. */
  readonly elsewhere?: boolean;
}

/** root=, resume= and their like: /dev/sda1 → UUID=…; the console where it is wished for; all else stays. */
export function planCommandLine(text: string, wishes: CommandLineWishes, facts: CommandLineFacts = {}): TextPlan {
  const named = planDevices(text, wishes.resolve, facts);
  return wishes.serialConsole && facts.elsewhere !== true && facts.foreign !== true
    ? chained(named, planConsole)
    : named;
}

function planDevices(text: string, resolve: Resolve, { foreign, withoutInitramfs }: CommandLineFacts): TextPlan {
  if (!text.includes('=/dev/')) return unchanged(text);
  const edits: string[] = [];
  const unresolved: string[] = [];
  const changed = text.replace(DEVICE_PARAMETER, (whole: string, parameter: string, value: string) => {
    const { device, rest } = split(parameter, value);
    if (!dependsOnHardware(device)) return whole;
    const found = resolve(device, foreign === true ? {} : PARAMETERS[parameter]);
    const stable = withoutInitramfs === true ? partitionTag(found) : tagOf(found);
    if (stable === undefined) {
      unresolved.push(`${parameter}=${device}`);
      return whole;
    }
    edits.push(`${parameter}=${device} → ${parameter}=${stable}`);
    return `${parameter}=${stable}${rest}`;
  });
  return { text: changed, edits, unresolved };
}

const partitionTag = (found: FileSystem | undefined): string | undefined =>
  found?.partUuid === undefined ? undefined : `PARTUUID=${found.partUuid}`;

/** `cryptdevice=/dev/sda2:root:allow-discards`; the names below by-path hold colons of their own. */
function split(parameter: string, value: string): { device: string; rest: string } {
  const colon = parameter === 'cryptdevice' && !value.includes('/by-path/') ? value.indexOf(':') : -1;
  return colon < 0 ? { device: value, rest: '' } : { device: value.slice(0, colon), rest: value.slice(colon) };
}

const SERIAL = 'console=ttyS0,115200';

/**
 * The serial console as one more, never the last: the last console= is /dev/console, where a person at the screen is
 * asked for a passphrase.
 */
export function planConsole(commandLine: string): TextPlan {
  if (/(?:^|[\s"'=])console=ttyS0(?:[\s,"']|$)/.test(commandLine)) return unchanged(commandLine);
  const first = commandLine.search(/(?<=^|[\s"'])console=/);
  const end = commandLine.trimEnd().length;
  const text =
    first >= 0
      ? `${commandLine.slice(0, first)}${SERIAL} ${commandLine.slice(first)}`
      : `${commandLine.slice(0, end)}${end === 0 ? '' : ' '}${SERIAL} console=tty0${commandLine.slice(end)}`;
  return { text, edits: [`${SERIAL} added`], unresolved: [] };
}

/** What of a command line still names hardware: `root=/dev/sda1`. */
export function hardwareParameters(commandLine: string): string[] {
  const found = [...commandLine.matchAll(DEVICE_PARAMETER)].map(([, parameter = '', value = '']) => ({
    parameter,
    ...split(parameter, value),
  }));
  return found.filter(({ device }) => dependsOnHardware(device)).map((each) => `${each.parameter}=${each.device}`);
}
