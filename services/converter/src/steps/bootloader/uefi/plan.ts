/**
 * The ESP's fallback path. The variables of the new machine's firmware are blank: it starts \EFI\BOOT\BOOTX64.EFI and
 * knows of nothing else (UEFI 2.10, 3.5.1.1).
 */
import type { EfiProgram } from './classify.js';

/** A folder below \EFI: `debian`. Names are as written on the ESP, which knows no case. */
export interface Vendor {
  readonly name: string;
  readonly files: readonly string[];
  /** Programs that its BOOTX64.CSV names: shim's fbx64.efi makes boot entries of them. */
  readonly csv: readonly string[];
  /** Its grub.cfg only leads to another, so that it works beside any copy of GRUB. */
  readonly stub: boolean;
}

export interface EspFacts {
  readonly vendors: readonly Vendor[];
  /** What lies at the fallback path. */
  readonly fallback?: EfiProgram;
}

export interface FallbackWishes {
  /** libguestfs's word: `x86_64`, `aarch64`. */
  readonly arch: string;
  /** libguestfs's word: `debian`, `sles`. */
  readonly distro: string;
  readonly secureBoot: boolean;
}

export interface FallbackPlan {
  /** Below \EFI, in this order. */
  readonly copies: readonly { readonly from: string; readonly to: string }[];
  readonly removals: readonly string[];
  /** What a person should know: it will probably not be found, or it is not known what it is. */
  readonly worry?: string;
  /** Nothing is at the path, and nothing could be put there. */
  readonly missing?: boolean;
}

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: 'x64',
  aarch64: 'aa64',
  i386: 'ia32',
  riscv64: 'riscv64',
};
/** Names of folders that are not the distribution's. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  rhel: ['redhat'],
  oraclelinux: ['redhat'],
  'redhat-based': ['redhat'],
  'suse-based': ['sles', 'opensuse'],
  archlinux: ['arch', 'grub'],
};

export const suffixOf = (arch: string): string => ARCHITECTURES[arch] ?? 'x64';
export const fallbackName = (arch: string): string => `BOOT${suffixOf(arch).toUpperCase()}.EFI`;

export function planFallback(esp: EspFacts, wishes: FallbackWishes): FallbackPlan {
  const path = `\\EFI\\BOOT\\${fallbackName(wishes.arch)}`;
  const nothing = { copies: [], removals: [] };
  const source = chooseSource(esp.vendors, wishes);
  const fault = faultOf(esp, wishes);
  if (fault === undefined) return nothing;
  if (esp.fallback === 'windows' || esp.fallback === 'unknown') {
    return { ...nothing, worry: `${path} ${fault}; it was left alone` };
  }
  if (source === undefined) {
    return {
      ...nothing,
      missing: esp.fallback === undefined,
      worry: `${path} ${fault}, and no boot loader was found to put there`,
    };
  }
  const unsigned = wishes.secureBoot && source.kind !== 'shim';
  return {
    copies: source.files.map(({ from, to }) => ({ from: `${source.vendor}/${from}`, to: `BOOT/${to}` })),
    // Without a CSV file it finds nothing to start, and shim starts it before GRUB.
    removals: source.kind === 'shim' && !hasCsv(esp.vendors) ? fallbackHelpers(esp).map((name) => `BOOT/${name}`) : [],
    ...(unsigned
      ? { worry: `${path} was made from ${source.vendor}, which has no shim: Secure Boot may refuse it` }
      : {}),
  };
}

/** What is wrong with the program at the fallback path; undefined where it starts the guest. */
export function faultOf(esp: EspFacts, { arch, secureBoot }: FallbackWishes): string | undefined {
  if (esp.fallback === undefined) return 'is missing';
  if (esp.fallback === 'windows') return 'is the boot loader of Windows';
  if (esp.fallback === 'unknown') return 'is a program that is not known';
  if (esp.fallback === 'shim') {
    if (fallbackHelpers(esp).length > 0) return hasCsv(esp.vendors) ? undefined : 'has nothing to start';
    const boot = esp.vendors.find(({ name }) => same(name, 'BOOT'));
    return (boot?.files ?? []).some((name) => isGrub(name, arch)) ? undefined : 'is shim without GRUB beside it';
  }
  const hasShim = esp.vendors.some(({ files }) => files.some((name) => isShim(name, arch)));
  return esp.fallback === 'grub' && secureBoot && hasShim ? 'is not what Secure Boot starts' : undefined;
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
const isShim = (name: string, arch: string): boolean =>
  same(name, `shim${suffixOf(arch)}.efi`) || same(name, 'shim.efi');
const isGrub = (name: string, arch: string): boolean =>
  same(name, `grub${suffixOf(arch)}.efi`) || same(name, 'grub.efi');
const isManager = (name: string, arch: string): boolean =>
  same(name, `mm${suffixOf(arch)}.efi`) || same(name, 'MokManager.efi');
const isSystemdBoot = (name: string, arch: string): boolean => same(name, `systemd-boot${suffixOf(arch)}.efi`);

/** shim's fbx64.efi beside the fallback: it makes boot entries from the CSV files and starts the first. */
const fallbackHelpers = ({ vendors }: EspFacts): string[] =>
  (vendors.find(({ name }) => same(name, 'BOOT'))?.files ?? []).filter((name) =>
    /^(?:fb\w+|fallback)\.efi$/i.test(name),
  );

/** Of a program that is there. */
const hasCsv = (vendors: readonly Vendor[]): boolean =>
  vendors.some(
    ({ name, files, csv }) => !same(name, 'BOOT') && csv.some((each) => files.some((file) => same(file, each))),
  );

interface Source {
  readonly vendor: string;
  readonly kind: 'shim' | 'grub' | 'systemd-boot';
  readonly files: readonly { readonly from: string; readonly to: string }[];
}

/** The distribution's own folder first, then one with shim, then any; Windows' is not ours. */
function chooseSource(vendors: readonly Vendor[], { arch, distro }: FallbackWishes): Source | undefined {
  const own = [distro, ...(ALIASES[distro] ?? [])];
  const boot = vendors.find(({ name }) => same(name, 'BOOT'));
  const sources = vendors
    .filter(({ name }) => !same(name, 'BOOT') && !same(name, 'Microsoft'))
    .map((vendor) => sourceIn(vendor, boot, arch))
    .filter((each) => each !== undefined);
  const rank = ({ vendor, kind }: Source): number =>
    (own.some((name) => same(vendor, name)) ? 0 : 3) + ['shim', 'grub', 'systemd-boot'].indexOf(kind);
  return sources.toSorted((a, b) => rank(a) - rank(b))[0];
}

/** shim and GRUB go together: shim starts the GRUB beside it, under the name that it has there. */
function sourceIn({ name, files, stub }: Vendor, boot: Vendor | undefined, arch: string): Source | undefined {
  const find = (is: (file: string, arch: string) => boolean): string | undefined =>
    files.find((file) => is(file, arch));
  const [shim, grub, systemd] = [find(isShim), find(isGrub), find(isSystemdBoot)];
  const to = fallbackName(arch);
  const configured = boot?.files.some((file) => same(file, 'grub.cfg')) ?? false;
  const config = files.find((file) => same(file, 'grub.cfg'));
  const beside = stub && !configured && config !== undefined ? [{ from: config, to: config }] : [];
  if (shim !== undefined && grub !== undefined) {
    const second = files
      .filter((file) => isGrub(file, arch) || isManager(file, arch))
      .map((file) => ({ from: file, to: file }));
    // The fallback last: a copy that fails half-way leaves no shim without its GRUB.
    return { vendor: name, kind: 'shim', files: [...second, ...beside, { from: shim, to }] };
  }
  if (grub !== undefined) return { vendor: name, kind: 'grub', files: [...beside, { from: grub, to }] };
  return systemd === undefined ? undefined : { vendor: name, kind: 'systemd-boot', files: [{ from: systemd, to }] };
}
