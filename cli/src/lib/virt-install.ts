import type { JobDetail } from '@hyper2kvm/contracts';
import type { DomainFacts } from './domain-xml.js';
import { shellQuote } from './format.js';
import { isKnownSystem } from './osinfo.js';

const MIB = 1024 * 1024;

/**
 * A virt-install command for a job's output, one part a line. With the domain's facts (the file is only there on the machine
 * that converted) it keeps buses, networks, MACs and firmware files; else it has what the gateway knows. Undefined where it
 * would not work: virt-install escapes these signs twice in the XML that it makes.
 */
export function virtInstall(job: JobDetail, domain: DomainFacts | undefined): string[] | undefined {
  const names = [...job.files, ...(domain?.disks ?? []).map(({ file }) => file), domain?.nvram ?? ''];
  return names.some((name) => /[&<>'"]/.test(name)) ? undefined : commandOf(job, domain);
}

function commandOf(job: JobDetail, domain: DomainFacts | undefined): string[] {
  const memory = Math.ceil((job.machine?.memory_bytes ?? 2048 * MIB) / MIB);
  const disks =
    domain !== undefined && domain.disks.length > 0
      ? domain.disks
      : job.files.map((file) => ({ file, format: file.endsWith('.raw') ? 'raw' : 'qcow2', bus: 'virtio' }));
  const nics = domain?.nics ?? [{ source: 'network=default', model: 'virtio', mac: undefined }];
  return [
    `virt-install --name ${shellQuote(domain?.name ?? job.vm_name)}${domain?.uuid === undefined ? '' : ` --uuid ${shellQuote(domain.uuid)}`}`,
    `--memory ${memory} --vcpus ${vcpus(job, domain)}`,
    ...disks.map(({ file, format, bus }) =>
      option('--disk', [`path=${quoted(file)}`, `format=${format}`, `bus=${bus}`, 'discard=unmap']),
    ),
    ...(disks.some(({ bus }) => bus === 'scsi') ? ['--controller type=scsi,model=virtio-scsi'] : []),
    ...nics.map(({ source, model, mac }) =>
      option('--network', [sourceOf(source), `model=${model}`, ...(mac === undefined ? [] : [`mac=${mac}`])]),
    ),
    ...(nics.length === 0 ? ['--network none'] : []),
    ...(domain?.machine === undefined ? [] : [`--machine ${shellQuote(domain.machine)}`]),
    ...firmware(job, domain),
    ...tpm(job, domain),
    ...(domain?.localtime === true ? ['--clock offset=localtime'] : []),
    `--import ${system(domain?.osinfo)} --noautoconsole`,
  ];
}

const option = (name: string, parts: readonly string[]): string => `${name} ${shellQuote(parts.join(','))}`;

/** virt-install splits values at commas as a POSIX shell would split words: double quotes hold them together. */
const quoted = (value: string): string => (/[,"'\\\s]/.test(value) ? `"${value.replaceAll(/["\\]/g, '\\$&')}"` : value);

/** `network=` and `bridge=` with a name of the administrator's. */
const sourceOf = (source: string): string => {
  const at = source.indexOf('=') + 1;
  return source.slice(0, at) + quoted(source.slice(at));
};

function vcpus(job: JobDetail, domain: DomainFacts | undefined): string {
  const { topology } = domain ?? {};
  const count = String(job.machine?.cpus ?? 2);
  return topology === undefined ? count : `${count},sockets=${topology.sockets},cores=${topology.cores},threads=1`;
}

/** With UEFI virt-install adds one of its own accord. */
function tpm(job: JobDetail, domain: DomainFacts | undefined): string[] {
  if (domain?.tpm === true) return ['--tpm model=tpm-crb,backend.type=emulator,backend.version=2.0'];
  return domain !== undefined && job.machine?.firmware === 'efi' ? ['--tpm none'] : [];
}

/** An id that the local database lacks is an error of virt-install; the devices are all named here anyway. */
const system = (id: string | undefined): string =>
  id !== undefined && isKnownSystem(id) ? `--osinfo ${shellQuote(`id=${id}`)}` : '--osinfo detect=on,require=off';

function firmware(job: JobDetail, domain: DomainFacts | undefined): string[] {
  if (job.machine?.firmware !== 'efi') return [];
  // virt-install 4 cannot name a firmware in qcow2: then libvirt takes its own, and the fallback boot path.
  if (domain?.loader === undefined || domain.nvram === undefined || domain.firmwareFormat === 'qcow2')
    return ['--boot uefi'];
  const { loader, nvram, nvramTemplate: template, secureBoot } = domain;
  const parts = [
    `loader=${quoted(loader)}`,
    'loader.readonly=yes',
    'loader.type=pflash',
    ...(secureBoot ? ['loader.secure=yes'] : []),
    `nvram=${quoted(nvram)}`,
    ...(template === undefined ? [] : [`nvram.template=${quoted(template)}`]),
  ];
  return [option('--boot', parts), ...(secureBoot ? ['--features smm.state=on'] : [])];
}
