/** What the boot loader will find. */
import { fallbackFault, hardwareParameters, readBootEntries, type BootEntry } from '../bootloader/index.js';
import type { StepContext } from '../step.js';

export async function checkBoot(context: StepContext): Promise<string[]> {
  const { appliance, guest, options, state } = context;
  if (!options.fix_grub) return [];
  const entries = await readBootEntries(appliance, guest);
  worryAboutVolumes(context, entries);
  const faults = [
    ...entries.flatMap((entry) => faultsOf(entry, context)),
    ...(await missingFiles(context, entries)),
    ...state.kernels
      .filter((version) => !entries.some(({ kernelVersion }) => kernelVersion === version))
      .map((version) => `no boot entry starts the kernel ${version} any more`),
  ];
  const fallback = await fallbackFault(context);
  if (fallback?.certain === true) faults.push(fallback.what);
  return [...new Set(faults)];
}

function faultsOf({ file, commandLine }: BootEntry, { guest, state }: StepContext): string[] {
  // What could not be resolved was told as a concern; it is no fault of the steps.
  const told = state.concerns.filter(({ code }) => code === 'BOOTLOADER_DEVICE_UNKNOWN').map(({ message }) => message);
  const named = hardwareParameters(commandLine)
    .filter((parameter) => !told.some((message) => message.includes(parameter) && message.includes(file)))
    .map((parameter) => `${file} still says ${parameter}`);
  const root = /(?:^|\s)root=UUID=["']?([^\s"']+)/.exec(commandLine)?.[1];
  const unknown =
    root !== undefined && !guest.fileSystems.some(({ uuid }) => uuid?.toLowerCase() === root.toLowerCase());
  return unknown ? [...named, `${file} has root=UUID=${root}, which no file system of this VM has`] : named;
}

/** Of the kernels that the guest may start: an old entry may well have lost its files long ago. */
async function missingFiles({ appliance, state }: StepContext, entries: readonly BootEntry[]): Promise<string[]> {
  const wanted = new Map<string, string>();
  for (const { file, kernel, initrd, kernelVersion, isDefault } of entries) {
    if (!isDefault && (kernelVersion === undefined || !state.kernels.includes(kernelVersion))) continue;
    wanted.set(kernel, file);
    if (initrd !== undefined) wanted.set(initrd, file);
  }
  const faults: string[] = [];
  for (const [path, file] of wanted) {
    if (!(await appliance.isFile(path))) faults.push(`${file} names ${path}, which is missing`);
  }
  return faults;
}

/** Volumes that the initramfs waits for (dracut, mkinitcpio) or that hold the root. */
function worryAboutVolumes({ guest, concern }: StepContext, entries: readonly BootEntry[]): void {
  const gone = new Map<string, string>();
  for (const { file, commandLine } of entries) {
    for (const { parameter, present } of volumesOf(commandLine, guest)) if (!present) gone.set(parameter, file);
  }
  for (const [parameter, file] of gone) {
    concern('BOOT_VOLUME_MISSING', `check: ${file} says ${parameter}, and this VM has no such volume`);
  }
}

interface Volume {
  readonly parameter: string;
  readonly present: boolean;
}

export function volumesOf(
  commandLine: string,
  { fileSystems, luks }: Pick<StepContext['guest'], 'fileSystems' | 'luks'>,
): Volume[] {
  const luksUuids = [
    ...luks.map(({ uuid }) => uuid),
    ...fileSystems.filter(({ type }) => type === 'crypto_LUKS').map(({ uuid }) => uuid ?? ''),
  ].map((uuid) => uuid.toLowerCase());
  const hasVolume = (name: string): boolean =>
    fileSystems.some(({ device }) => device === `/dev/${name}` || device === `/dev/mapper/${mapped(name)}`);
  const found: Volume[] = [];
  for (const parameter of commandLine.split(/\s+/)) {
    const lv = /^rd\.lvm\.lv=["']?([^/"']+\/[^/"']+)/.exec(parameter)?.[1];
    if (lv !== undefined) found.push({ parameter, present: hasVolume(lv) });
    const uuid =
      /^(?:rd\.luks\.uuid=(?:luks-)?|rd\.luks\.name=|cryptdevice=UUID=|cryptroot=UUID=)["']?([\da-f-]{8,})/i.exec(
        parameter,
      )?.[1];
    // rd.luks.uuid takes the beginning of one.
    if (uuid !== undefined) {
      found.push({ parameter, present: luksUuids.some((each) => each.startsWith(uuid.toLowerCase())) });
    }
  }
  return found;
}

/** device-mapper doubles the hyphens of both names. */
const mapped = (name: string): string =>
  name
    .split('/')
    .map((part) => part.replaceAll('-', '--'))
    .join('-');
