import { deviceResolver } from '../devices.js';
import type { Step, StepContext } from '../step.js';
import { hardwareParameters, type CommandLineWishes } from './command-line.js';
import { fixFallback, worryAboutFallback } from './uefi/index.js';
import { fixDeviceMaps, fixInstallDevices, worryAboutRoots } from './grub2/devices.js';
import { cachedFiles } from './locate.js';
import { readBootLoaders, type BootLoaders } from './read.js';
import { readSources } from './sources.js';

/** The kernel's root is named by UUID, in the boot entries and in what makes them, and the firmware finds the loader. */
export const bootloaderStep: Step = {
  name: 'bootloader',
  async run(context) {
    const { appliance, guest, options, log, concern } = context;
    const loaders = await readBootLoaders(appliance, guest);
    if (!options.fix_grub) return leftAlone(context, loaders);
    if (loaders.entries.length === 0 && loaders.unified.length === 0) {
      concern('BOOTLOADER_UNKNOWN', 'bootloader: no entries of a known boot loader were found; it was left alone');
    }
    worryAboutUnified(context, loaders);
    const edited = await fixCommandLines(context, loaders);
    worryAboutRoots(context, loaders);
    await fixDeviceMaps(context);
    await fixInstallDevices(context);
    await fixFallback(context);
    if (!edited) log('bootloader: the boot entries name no hardware');
  },
};

/** With fix_grub=false nothing is changed, but whoever asked for it should know what comes of it. */
async function leftAlone(context: StepContext, { entries }: BootLoaders): Promise<void> {
  const { log, concern } = context;
  const named = new Map<string, string[]>();
  for (const { file, commandLine } of entries) {
    const found = hardwareParameters(commandLine);
    if (found.length > 0) named.set(file, [...new Set([...(named.get(file) ?? []), ...found])]);
  }
  for (const [file, parameters] of named) {
    concern(
      'BOOTLOADER_DEVICE_UNKNOWN',
      `bootloader: ${file} says ${parameters.join(', ')}, which KVM may call otherwise; it was left alone, as asked`,
    );
  }
  await worryAboutFallback(context);
  log('bootloader: left alone, as asked');
}

function worryAboutUnified({ concern }: StepContext, { unified }: BootLoaders): void {
  if (unified.length === 0) return;
  const names = unified.slice(0, 5).join(', ');
  concern(
    'BOOTLOADER_UNKNOWN',
    `bootloader: ${unified.length} unified kernels (${names}) hold their own arguments and initramfs, which cannot be changed from outside`,
  );
}

/** @returns whether anything was changed */
async function fixCommandLines(context: StepContext, loaders: BootLoaders): Promise<boolean> {
  const { appliance, guest, options, concern, edit } = context;
  const wishes: CommandLineWishes = {
    resolve: deviceResolver(guest),
    serialConsole: options.serial_console ?? false,
  };
  let changed = false;
  const edited = new Set<string>();
  for (const { file, text, plan } of [...loaders.files, ...(await readSources(cachedFiles(appliance)))]) {
    // A link to one that was edited: menu.lst to grub.conf.
    if (edited.has(text) && (await appliance.readText(file)) !== text) continue;
    const planned = plan(text, wishes);
    for (const each of planned.unresolved) {
      concern(
        'BOOTLOADER_DEVICE_UNKNOWN',
        `bootloader: ${each} in ${file} names hardware, and no file system of this VM is certainly meant; it was left as it is`,
      );
    }
    await edit(file, text, planned.text, ...planned.edits);
    changed ||= planned.text !== text;
    edited.add(text);
  }
  return changed;
}
