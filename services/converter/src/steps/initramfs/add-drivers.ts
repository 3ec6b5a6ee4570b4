import path from 'node:path';
import { JobError } from '@hyper2kvm/contracts';
import type { Appliance } from '../../guest/index.js';
import { missingFolders, type Addition } from './addition.js';
import { addToArchive, readArchive, type Archive, type NewEntry } from './archive/index.js';
import type { InitramfsBackend } from './backends/index.js';

const FOLDER_MODE = 0o40755;
const FILE_MODE = 0o100644;
const DEPMOD = ['/usr/sbin/depmod', '/sbin/depmod', '/usr/bin/depmod'];
/** depmod reads each module: without KVM about 50 a second. */
const DEPMOD_LIMIT_MS = 600_000;
/** What mkinitramfs and dracut have depmod work with. */
const LISTS = ['modules.builtin', 'modules.builtin.modinfo', 'modules.order'];
/** Of files in one command: Linux takes 2 MiB. */
const MOST_FILES = 500;

export interface AddDrivers {
  readonly appliance: Appliance;
  readonly version: string;
  readonly addition: Addition;
  /** Names for the image's list of modules to load. */
  readonly names: readonly string[];
  readonly addable: NonNullable<InitramfsBackend['addable']>;
  readonly archive: Archive;
  /** The image, and what it becomes, on the host. */
  readonly file: string;
  readonly target: string;
  /** On the host, for temporary files; the caller removes it. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/**
 * Writes the image with the drivers in it: their files, depmod's indexes of all its modules, and the list of modules that
 * are loaded early. All else in it stays: it has brought this guest up so far.
 *
 * Building it anew takes some 2,000 processes (45 s without KVM) and looks at the appliance's devices; this takes two.
 */
export async function addDrivers(input: AddDrivers): Promise<void> {
  const { addition, archive, names } = input;
  const files = await moduleFiles(input);
  const { loadList } = input.addable;
  const list = loadList === undefined ? undefined : archive.files.get(loadList.path);
  if (loadList !== undefined && list !== undefined) {
    files.push({
      path: loadList.path,
      mode: FILE_MODE,
      content: Buffer.from(loadList.with(list.toString('latin1'), names), 'latin1'),
    });
  }
  const folders = missingFolders(
    addition.added.map((each) => `${addition.folder}/${each}`),
    archive.paths,
  ).map((each) => ({ path: each, mode: FOLDER_MODE, content: Buffer.alloc(0) }));
  await addToArchive(input.file, archive, [...folders, ...files], input.target, input.signal);
}

/** The drivers and the new indexes, made by the guest's own depmod from copies of just the image's modules. */
async function moduleFiles({ appliance, version, addition, folder, signal }: AddDrivers): Promise<NewEntry[]> {
  const modules = `/lib/modules/${version}`;
  const stage = (await appliance.call(['mkdtemp', '/var/tmp/hyper2kvm.XXXXXX'])).trim();
  try {
    // Newer depmods look beneath /usr/lib alone.
    await appliance.call(['mkdir', `${stage}/usr`]);
    await appliance.call(['ln-s', '../lib', `${stage}/usr/lib`]);
    const there = new Set(await appliance.list(modules));
    const all = [...addition.present, ...addition.added, ...LISTS.filter((name) => there.has(name))];
    for (let start = 0; start < all.length; start += MOST_FILES) {
      const some = all.slice(start, start + MOST_FILES).map((each) => `${modules}/${each}`);
      await appliance.command(['cp', '--parents', '-t', stage, ...some], DEPMOD_LIMIT_MS);
    }
    await appliance.command([await depmod(appliance), '-b', stage, version], DEPMOD_LIMIT_MS);
    // One call: each would take 30 ms.
    const local = path.join(folder, 'modules');
    await appliance.call(['cpio-out', `${stage}/lib`, local, 'format:newc'], DEPMOD_LIMIT_MS);
    return await pick(local, version, addition, signal);
  } finally {
    await appliance.call(['rm-rf', stage]).catch(() => undefined);
  }
}

/** Of the copies: the drivers, and what depmod wrote. */
async function pick(file: string, version: string, addition: Addition, signal: AbortSignal): Promise<NewEntry[]> {
  const folder = `modules/${version}/`;
  const added = new Set(addition.added.map((each) => `${folder}${each}`));
  const isIndex = (each: string): boolean =>
    each.startsWith(`${folder}modules.`) && !LISTS.includes(each.slice(folder.length));
  const { files } = await readArchive(file, signal, (each) => added.has(each) || isIndex(each));
  const lacking = [...added].filter((each) => !files.has(each));
  if (lacking.length > 0 || !files.has(`${folder}modules.dep`)) {
    throw new JobError('CONVERSION_STEP', `depmod left nothing for ${lacking.join(', ')}`, { step: 'initramfs' });
  }
  return [...files].map(([each, content]) => ({
    path: `${addition.folder}/${each.slice(folder.length)}`,
    mode: FILE_MODE,
    content,
  }));
}

/** Where depmod lies; guests without it have no modules. */
async function depmod(appliance: Appliance): Promise<string> {
  for (const file of DEPMOD) if (await appliance.isFile(file)) return file;
  return 'depmod';
}
