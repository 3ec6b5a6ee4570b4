import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

/** Code and the template of its NVRAM, absolute. */
export interface FirmwareFiles {
  readonly code: string;
  readonly vars: string;
  readonly format: 'raw' | 'qcow2';
}

/** The administrator's first: a file there hides the distribution's of the same name. */
const FOLDERS = ['/etc/qemu/firmware', '/usr/share/qemu/firmware'];

const File = z.object({ filename: z.string().startsWith('/'), format: z.enum(['raw', 'qcow2']) });
/** The part of QEMU's docs/interop/firmware.json that matters. */
const Descriptor = z.object({
  'interface-types': z.array(z.string()),
  mapping: z.object({ device: z.literal('flash'), executable: File, 'nvram-template': File }),
  targets: z.array(z.object({ architecture: z.string(), machines: z.array(z.string()) })),
  features: z.array(z.string()),
});
type Descriptor = z.infer<typeof Descriptor>;

/**
 * UEFI of x86 as QEMU's firmware descriptors list it, the preferred first (by file name, as libvirt does).
 * @param secure with Secure Boot and enrolled keys; otherwise with none of both enforced
 */
export async function describedFirmware(
  secure: boolean,
  folders: readonly string[] = FOLDERS,
): Promise<FirmwareFiles[]> {
  const files = new Map<string, string>();
  for (const folder of folders) {
    for (const name of await readdir(folder).catch(() => []))
      if (name.endsWith('.json') && !files.has(name)) files.set(name, path.join(folder, name));
  }
  const found: FirmwareFiles[] = [];
  for (const [, file] of [...files].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const descriptor = await read(file);
    if (descriptor === undefined || !fits(descriptor, secure)) continue;
    const { executable, 'nvram-template': template } = descriptor.mapping;
    // libvirt knows one format for both.
    if (executable.format === template.format)
      found.push({ code: executable.filename, vars: template.filename, format: template.format });
  }
  return found;
}

function fits(descriptor: Descriptor, secure: boolean): boolean {
  const features = new Set(descriptor.features);
  const forUs = descriptor.targets.some(
    ({ architecture, machines }) => architecture === 'x86_64' && machines.some((name) => name.startsWith('pc-q35')),
  );
  if (!forUs || !descriptor['interface-types'].includes('uefi')) return false;
  // Builds for confidential guests are of no use to others.
  if (features.has('amd-sev-snp') || features.has('intel-tdx')) return false;
  return secure
    ? features.has('secure-boot') && features.has('enrolled-keys')
    : !features.has('enrolled-keys') && !features.has('requires-smm');
}

/** What is no such descriptor (also an empty file, which hides another) is passed over. */
async function read(file: string): Promise<Descriptor | undefined> {
  try {
    return Descriptor.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return undefined;
  }
}
