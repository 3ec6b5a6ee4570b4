/** Disks that a later upgrade of GRUB's package in the guest would install to. */
import { dependsOnHardware } from '../../devices.js';
import { unchanged, type TextPlan } from '../text-plan.js';

const NAMES = {
  devices: 'grub-pc/install_devices',
  empty: 'grub-pc/install_devices_empty',
  automatic: 'grub-pc/cloud_style_installation',
};

export interface InstallDevices extends TextPlan {
  /** What was recorded: `/dev/sda`. */
  readonly devices: readonly string[];
  /** The package finds the disk itself from now on; else it leaves the boot sector alone. */
  readonly automatic: boolean;
}

/**
 * debconf's answers (/var/cache/debconf/config.dat) to where grub-pc is installed. Its upgrade fails where a recorded
 * disk is gone, and with it every other upgrade (`You must correct your GRUB install devices before proceeding`). Ubuntu
 * can be told to take the disk of /boot; older and Debian's packages only to install nowhere, which starts the guest as
 * before: what is in the boot sector and its modules in /boot stay the same version.
 */
export function planInstallDevices(text: string): InstallDevices {
  const blocks = text.split('\n\n');
  const named = (name: string): number => blocks.findIndex((each) => each.startsWith(`Name: ${name}\n`));
  const [at, empty, automatic] = [named(NAMES.devices), named(NAMES.empty), named(NAMES.automatic)];
  const devices = (fieldOf(blocks[at] ?? '', 'Value') ?? '').split(/,[ \t]*/).filter((each) => each !== '');
  const nothing = { ...unchanged(text), devices, automatic: automatic >= 0 };
  if (!devices.some((each) => dependsOnHardware(each))) return nothing;
  if (automatic >= 0) {
    if (fieldOf(blocks[automatic] ?? '', 'Value') === 'true') return nothing;
    blocks[automatic] = answered(blocks[automatic] ?? '', 'true');
    return { ...nothing, text: blocks.join('\n\n'), edits: [`${NAMES.automatic}: true`] };
  }
  // Without the second question there would be no answer to why there is none.
  if (empty < 0) return { ...nothing, unresolved: devices };
  blocks[at] = answered(blocks[at] ?? '', '');
  blocks[empty] = answered(blocks[empty] ?? '', 'true');
  const edits = [`${NAMES.devices}: ${devices.join(', ')} → none`, `${NAMES.empty}: true`];
  return { ...nothing, text: blocks.join('\n\n'), edits };
}

const fieldOf = (block: string, field: string): string | undefined =>
  block
    .split('\n')
    .find((line) => line.startsWith(`${field}:`))
    ?.slice(field.length + 1)
    .trim();

/** A block (Name, Template, Value, Owners, Flags, Variables, in this order) with its value, and seen: not asked again. */
function answered(block: string, value: string): string {
  const lines = block.split('\n');
  const put = (field: string, content: string, ...before: string[]): void => {
    const at = lines.findIndex((line) => line.startsWith(`${field}:`));
    if (at >= 0) {
      lines[at] = `${field}: ${content}`.trimEnd();
      return;
    }
    const after = lines.findLastIndex((line) => before.some((each) => line.startsWith(`${each}:`)));
    lines.splice(after + 1, 0, `${field}: ${content}`);
  };
  put('Value', value, 'Name', 'Template');
  const flags = (fieldOf(block, 'Flags') ?? '').split(/[ ,]+/).filter((each) => each !== '');
  if (!flags.includes('seen')) put('Flags', [...flags, 'seen'].join(' '), 'Name', 'Template', 'Value', 'Owners');
  return lines.join('\n');
}

/** SUSE's /etc/default/grub_installdevice: a device in each line, or `activate`, `generic_mbr`. */
export const installDevicesOfSuse = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => dependsOnHardware(line));
