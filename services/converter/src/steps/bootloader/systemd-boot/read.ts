import { BLS_FOLDER, readBls } from '../bls/read.js';
import type { BootFacts, Configuration, GuestFiles } from '../entry.js';
import type { Grub2 } from '../grub2/read.js';
import { espCandidates, named } from '../locate.js';

export interface SystemdBoot extends Configuration {
  /** Kernels in one piece with their initramfs and arguments, which are signed: nothing in them can be changed. */
  readonly unified: readonly string[];
}

/** /boot can be the ESP, or the extended boot partition beside it. */
const PLACES = ['/efi', '/boot', '/boot/efi'];

/** @param grub which reads /boot/loader/entries itself, or leaves it behind unread where systemd-boot is not installed */
export async function readSystemdBoot(files: GuestFiles, guest: BootFacts, grub: Grub2): Promise<SystemdBoot> {
  const unified: string[] = [];
  let all: Configuration = { files: [], entries: [] };
  for (const place of new Set([...espCandidates(guest), ...PLACES])) {
    const top = await files.list(place);
    const efi = named(top, 'EFI');
    const vendors = efi === undefined ? [] : await files.list(`${place}/${efi}`);
    const linux = named(vendors, 'Linux');
    if (linux !== undefined) {
      const kernels = (await files.list(`${place}/${efi}/${linux}`)).filter((name) => /\.efi$/i.test(name));
      unified.push(...kernels.map((name) => `${place}/${efi}/${linux}/${name}`));
    }
    const folder = `${place}/loader/entries`;
    if (!top.includes('loader')) continue;
    if (folder === BLS_FOLDER && (grub.usesBls || (grub.files.length > 0 && !named(vendors, 'systemd')))) continue;
    const configuration = (await files.readText(`${place}/loader/loader.conf`)) ?? '';
    const wanted = /^default[ \t]+(\S+)/m.exec(configuration)?.[1] ?? '';
    const here = await readBls(files, {
      loader: 'systemd-boot',
      folder,
      variables: new Map(),
      seenFrom: place,
      wanted,
    });
    all = { files: [...all.files, ...here.files], entries: [...all.entries, ...here.entries] };
  }
  return { ...all, unified };
}
