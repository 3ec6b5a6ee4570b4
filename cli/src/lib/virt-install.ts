import type { JobDetail } from '@hyper2kvm/contracts';
import type { DomainFacts } from './domain-xml.js';
import { shellQuote } from './format.js';

const MIB = 1024 * 1024;

/**
 * A virt-install command for a job's output, one part a line. With the domain's facts (the file is only there on the machine
 * that converted) it keeps buses, networks, MACs and firmware files; else it has what the gateway knows.
 */
export function virtInstall(job: JobDetail, domain: DomainFacts | undefined): string[] {
  const memory = Math.ceil((job.machine?.memory_bytes ?? 2048 * MIB) / MIB);
  const disks =
    domain !== undefined && domain.disks.length > 0
      ? domain.disks
      : job.files.map((file) => ({ file, format: file.endsWith('.raw') ? 'raw' : 'qcow2', bus: 'virtio' }));
  const nics = domain?.nics ?? [{ source: 'network=default', model: 'virtio', mac: undefined }];
  return [
    `virt-install --name ${shellQuote(domain?.name ?? job.vm_name)}`,
    `--memory ${memory} --vcpus ${job.machine?.cpus ?? 2}`,
    ...disks.map(({ file, format, bus }) => `--disk ${shellQuote(`path=${comma(file)},format=${format},bus=${bus}`)}`),
    ...(disks.some(({ bus }) => bus === 'scsi') ? ['--controller type=scsi,model=virtio-scsi'] : []),
    ...nics.map(
      ({ source, model, mac }) =>
        `--network ${shellQuote(`${source},model=${model}${mac === undefined ? '' : `,mac=${mac}`}`)}`,
    ),
    ...(nics.length === 0 ? ['--network none'] : []),
    ...(domain?.machine === undefined ? [] : [`--machine ${shellQuote(domain.machine)}`]),
    ...firmware(job, domain),
    '--import --osinfo detect=on,require=off --noautoconsole',
  ];
}

/** virt-install's own escape for a comma within a value. */
const comma = (value: string): string => value.replaceAll(',', ',,');

function firmware(job: JobDetail, domain: DomainFacts | undefined): string[] {
  if (job.machine?.firmware !== 'efi') return [];
  if (domain?.loader === undefined || domain.nvram === undefined) return ['--boot uefi'];
  const { loader, nvram, nvramTemplate: template, secureBoot } = domain;
  const parts = [
    `loader=${comma(loader)}`,
    'loader.readonly=yes',
    'loader.type=pflash',
    ...(secureBoot ? ['loader.secure=yes'] : []),
    `nvram=${comma(nvram)}`,
    ...(template === undefined ? [] : [`nvram.template=${comma(template)}`]),
  ];
  return [`--boot ${shellQuote(parts.join(','))}`, ...(secureBoot ? ['--features smm.state=on'] : [])];
}
