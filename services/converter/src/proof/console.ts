/** The serial console of the proof: added to the boot entries of the throw-away overlay only. */

/** Lines with a kernel's arguments: GRUB 2 and legacy, BLS and systemd-boot, extlinux. */
const COMMAND_LINE = /^\s*(?:(?:linux(?:16|efi)?|kernel)\s+\S+\s+\S|(?:options|append)\s)/i;
/** A splash screen keeps messages and questions to itself; quiet hides what went wrong. */
const HUSH = /\s(?:quiet|splash(?:=\S+)?|rhgb|loglevel=\d|vt\.handoff=\d)(?=\s|$)/g;
const CONSOLE = 'console=ttyS0,115200';

/**
 * A boot loader's configuration with every kernel's console on the first serial port: the last one named is where the
 * initramfs asks for passphrases, and where emergency shells open.
 */
export function withSerialConsole(text: string): string {
  return text
    .split('\n')
    .map((line) => (COMMAND_LINE.test(line) ? onSerial(line) : line))
    .join('\n');
}

function onSerial(line: string): string {
  const plain = line.replace(/\sconsole=ttyS0\S*/g, '').replace(HUSH, '');
  return `${plain.trimEnd()} ${CONSOLE}`;
}
