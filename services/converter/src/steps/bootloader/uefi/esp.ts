import { espCandidates, named } from '../locate.js';
import type { StepContext } from '../../step.js';
import { parseGrubCfg } from '../grub2/parse.js';
import { classify, csvPrograms, type EfiProgram } from './classify.js';
import { fallbackName, suffixOf, type EspFacts, type Vendor } from './plan.js';

/** Boot loaders have up to 3 MiB; what is larger is a kernel. */
const PROGRAM_BYTES = 16 * 1024 * 1024;
const STUB_BYTES = 64 * 1024;

export interface Esp extends EspFacts {
  /** `/boot/efi/EFI`, as written there. */
  readonly folder: string;
}

/**
 * The ESP among the mounted file systems, or one that the guest itself mounts by its partition type only; that is
 * mounted for the time of `use`. Undefined where there is none.
 */
export async function withEsp<T>(context: StepContext, use: (esp: Esp | undefined) => Promise<T>): Promise<T> {
  const { appliance, guest } = context;
  for (const at of espCandidates(guest)) {
    const esp = await espAt(context, at);
    if (esp !== undefined) return use(esp);
  }
  const spare = guest.fileSystems.filter(
    ({ device, type }) => type === 'vfat' && !guest.mountpoints.some((each) => each.device === device),
  );
  for (const { device } of spare) {
    await appliance.call(['mount', device, '/mnt']);
    try {
      const esp = await espAt(context, '/mnt');
      if (esp !== undefined) return await use(esp);
    } finally {
      await appliance.attempt(['umount', '/mnt']);
    }
  }
  return use(undefined);
}

async function espAt({ appliance, guest }: StepContext, at: string): Promise<Esp | undefined> {
  const efi = named(await appliance.list(at), 'EFI');
  if (efi === undefined) return undefined;
  const folder = `${at}/${efi}`;
  const vendors: Vendor[] = [];
  for (const name of await appliance.list(folder)) {
    const files = await appliance.list(`${folder}/${name}`);
    if (files.length > 0) vendors.push(await vendorAt(appliance, folder, name, files, guest.arch));
  }
  const boot = vendors.find(({ name }) => name.toLowerCase() === 'boot');
  const program = named(boot?.files ?? [], fallbackName(guest.arch));
  if (boot === undefined || program === undefined) return { folder, vendors };
  return { folder, vendors, fallback: await programAt(appliance, `${folder}/${boot.name}/${program}`) };
}

type Files = StepContext['appliance'];

async function vendorAt(
  appliance: Files,
  folder: string,
  name: string,
  files: readonly string[],
  arch: string,
): Promise<Vendor> {
  // SUSE's has no architecture in its name.
  const csv = named(files, `BOOT${suffixOf(arch)}.CSV`) ?? named(files, 'boot.csv');
  const config = named(files, 'grub.cfg');
  const read = async (file: string | undefined): Promise<string> =>
    file === undefined ? '' : await small(appliance, `${folder}/${name}/${file}`);
  return { name, files, csv: csvPrograms(await read(csv)), stub: isStub(await read(config)) };
}

/** `search` for a file system and `configfile` of what is there. */
export function isStub(text: string): boolean {
  const { entries, usesBls } = parseGrubCfg(text);
  return entries.length === 0 && !usesBls && /^[ \t]*(?:configfile|source|normal)\b/m.test(text);
}

async function small(appliance: Files, file: string): Promise<string> {
  const size = Number(await appliance.call(['filesize', file]));
  return size <= STUB_BYTES ? ((await appliance.readText(file)) ?? '') : '';
}

async function programAt(appliance: Files, file: string): Promise<EfiProgram> {
  if (!(await appliance.isFile(file))) return 'unknown';
  const size = Number(await appliance.call(['filesize', file]));
  return size > PROGRAM_BYTES ? 'unified-kernel' : classify((await appliance.readText(file, PROGRAM_BYTES)) ?? '');
}
