/** What a serial console says when a boot has failed for good: no need to wait for the time limit. */
const FAILURES: readonly [pattern: RegExp, meaning: string][] = [
  [/Kernel panic - not syncing[^\r\n]*/, 'the kernel panicked'],
  [/ALERT! +\S+ does not exist/, 'the root device was not found'],
  [/^\(initramfs\)/m, 'the boot stopped in the shell of the initramfs'],
  [/You are in (?:emergency|rescue) mode/, 'the guest went into emergency mode'],
  [
    /Give root password for (?:maintenance|login)|Press Enter for maintenance|Cannot open access to console, the root/,
    'the guest went into emergency mode',
  ],
  [/^(?:dracut|emergency|switch_root):\/# |Entering emergency mode/m, 'the boot stopped in the shell of dracut'],
  [/can't access tty; job control turned off/, 'the boot stopped in the shell of the initramfs'],
  [/UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY/, 'a file system has to be repaired by hand'],
  [/^grub rescue>/m, 'GRUB did not find its files'],
  [/^grub> /m, 'GRUB did not find its configuration'],
  [
    /No bootable device|Shell> |Boot failed: not a bootable disk|BdsDxe: No bootable option/,
    'the firmware found nothing to boot',
  ],
];

/** Characters of the log that are looked at again, as a sentence may be half there. */
export const LOOK_BACK = 1024;

/** Why the boot has failed, as far as the serial log shows; undefined while it may still succeed. */
export function failureInSerial(log: string): string | undefined {
  const plain = plainText(log);
  for (const [pattern, meaning] of FAILURES) {
    const found = pattern.exec(plain)?.[0];
    if (found !== undefined) return `${meaning} ("${found.trim()}")`;
  }
  return undefined;
}

/** Terminal sequences and other control characters, except line ends. */
// oxlint-disable-next-line no-control-regex
const CONTROL = /\u001b(?:\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|c)|[\u0000-\u0008\u000b-\u001f\u007f]/g;

/** Carriage returns stay: they begin a line anew. */
export const plainText = (log: string): string => log.replace(CONTROL, (found) => (found === '\r' ? found : ''));

/** The last lines for an error message. */
export function lastLines(log: string, count: number): string[] {
  const clean = log.slice(-16_384).replace(CONTROL, '');
  return clean
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .slice(-count)
    .map((line) => line.slice(0, 200));
}
