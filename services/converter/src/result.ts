import path from 'node:path';
import type { Manifest } from './commit/index.js';
import type { Converted } from './convert.js';

/** The fact of the end, from the manifest that lies in the output folder: the same whenever it is asked for. */
export function completedOf(manifest: Manifest): Converted {
  const at = (...names: string[]): string => path.join(manifest.output_dir, ...names);
  const { proof, guest } = manifest;
  return {
    vm_name: manifest.vm_name,
    output_dir: manifest.output_dir,
    files: manifest.disks.map(({ file }) => at(file)),
    disks: manifest.disks.map(({ file, format, capacity_bytes }) => ({ file: at(file), format, capacity_bytes })),
    domain_xml: at('domain.xml'),
    manifest: at('manifest.json'),
    duration_seconds: manifest.duration_seconds,
    modifications: manifest.modifications,
    guest: { product: guest.product, distro: guest.distro, arch: guest.arch },
    concerns: manifest.concerns.map(({ message }) => message),
    ...(proof === undefined
      ? {}
      : {
          proof: {
            booted: proof.booted,
            seconds: proof.seconds,
            hostname: proof.hostname,
            kernel: proof.kernel,
            addresses: proof.addresses,
            failed_units: proof.failed_units,
            serial_log: at('evidence', 'serial.log'),
            ...(proof.screenshot ? { screenshot: at('evidence', 'screen.png') } : {}),
          },
        }),
  };
}
