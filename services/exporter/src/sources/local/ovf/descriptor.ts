import type { Machine } from '@hyper2kvm/contracts';
import { invalid } from '../failures.js';
import { isPlainName } from '../headers/vmdk-descriptor.js';
import { TYPE, inControllerOrder, quantity, readItems, readNics, vmwareSetting, type Item } from './hardware.js';
import { inBytes } from './units.js';
import { attribute, child, children, parseXml, text, type Element } from './xml.js';

/** A disk as an OVF tells of it. */
export interface OvfDisk {
  /** A plain file name; undefined is an empty disk. */
  readonly file: string | undefined;
  /** Of that file, where it is told. */
  readonly fileBytes: number | undefined;
  readonly capacityBytes: number | undefined;
  /** What the disk holds. */
  readonly populatedBytes: number | undefined;
  readonly controller: string | undefined;
}

export interface Ovf {
  readonly machine: Omit<Machine, 'disks' | 'firmware'> & { readonly firmware: Machine['firmware'] | undefined };
  readonly disks: readonly OvfDisk[];
  readonly concerns: readonly string[];
}

const DEFAULTS = { cpus: 2, memoryBytes: 2 ** 31 } as const;
const FORMATS = /vmdk|vhd|qcow|raw/i;

/** @param name of the file, for messages @throws JobError SOURCE_INVALID */
export function parseOvf(name: string, bytes: Buffer): Ovf {
  const envelope = child(parseXml(name, bytes), 'Envelope');
  if (envelope === undefined) throw invalid(name, 'is no OVF descriptor');
  const systems = children(envelope, 'VirtualSystem');
  if (child(envelope, 'VirtualSystemCollection') !== undefined || systems.length > 1)
    throw invalid(name, 'describes several VMs; export them one by one');
  const [system] = systems;
  const hardware = child(system, 'VirtualHardwareSection');
  if (system === undefined || hardware === undefined) throw invalid(name, 'describes no VM');
  const items = readItems(hardware, defaultConfiguration(envelope));
  const concerns: string[] = [];
  const secure = vmwareSetting(hardware, 'bootOptions.efiSecureBootEnabled') === 'true';
  const cores = Number(text(items.find(({ type }) => type === TYPE.cpu)?.element, 'CoresPerSocket'));
  const guest = child(system, 'OperatingSystemSection');
  const guestId = attribute(guest, 'osType');
  const guestName = text(guest, 'Description');
  return {
    machine: {
      name: text(system, 'Name') ?? attribute(system, 'id') ?? name.replace(/^.*\/|\.[^.]*$/g, ''),
      cpus: cpus(items, concerns),
      ...(Number.isInteger(cores) && cores > 0 ? { cores_per_socket: cores } : {}),
      memory_bytes: memory(items, concerns),
      firmware: firmware(hardware),
      secure_boot: secure,
      ...(guestId === undefined ? {} : { guest_id: guestId }),
      ...(guestName === undefined ? {} : { guest_name: guestName }),
      nics: readNics(items),
    },
    disks: readDisks(name, envelope, items),
    concerns,
  };
}

function firmware(hardware: Element): 'bios' | 'efi' | undefined {
  const told = vmwareSetting(hardware, 'firmware')?.toLowerCase();
  return told === 'efi' || told === 'bios' ? told : undefined;
}

function defaultConfiguration(envelope: Element): string | undefined {
  const all = children(child(envelope, 'DeploymentOptionSection'), 'Configuration');
  return attribute(all.find((one) => attribute(one, 'default') === 'true') ?? all[0], 'id');
}

function cpus(items: readonly Item[], concerns: string[]): number {
  const told = Number(quantity(items.find(({ type }) => type === TYPE.cpu)).value);
  if (Number.isInteger(told) && told >= 1 && told <= 1024) return told;
  concerns.push(`the OVF tells no number of CPUs: ${DEFAULTS.cpus} are assumed`);
  return DEFAULTS.cpus;
}

function memory(items: readonly Item[], concerns: string[]): number {
  const { value, units } = quantity(items.find(({ type }) => type === TYPE.memory));
  const bytes = inBytes(value, units, 'byte * 2^20');
  if (bytes !== undefined && bytes > 0) return bytes;
  concerns.push('the OVF tells no size of memory: 2 GiB are assumed');
  return DEFAULTS.memoryBytes;
}

function readDisks(name: string, envelope: Element, items: readonly Item[]): OvfDisk[] {
  const files = byId(children(child(envelope, 'References'), 'File'), 'id');
  const disks = byId(children(child(envelope, 'DiskSection'), 'Disk'), 'diskId');
  return inControllerOrder(items).map(({ item, controller }) => {
    const [, kind, id = ''] = /^(?:ovf:)?\/(disk|file)\/(.+)$/.exec(text(item.element, 'HostResource') ?? '') ?? [];
    const disk = kind === 'disk' ? disks.get(id) : undefined;
    if (kind === undefined || (kind === 'disk' && disk === undefined))
      throw invalid(name, `has a disk (item ${item.id}) that refers to nothing`);
    if (attribute(disk, 'parentRef') !== undefined)
      throw invalid(name, 'has a disk that holds only changes to another one');
    const fileRef = kind === 'file' ? id : attribute(disk, 'fileRef');
    const capacity = attribute(disk, 'capacity');
    const format = attribute(disk, 'format');
    if (fileRef !== undefined && format !== undefined && !FORMATS.test(format))
      throw invalid(name, `has a disk of the format ${format}`);
    const told = {
      capacityBytes: inBytes(capacity, attribute(disk, 'capacityAllocationUnits'), 'byte'),
      populatedBytes: inBytes(attribute(disk, 'populatedSize'), undefined, 'byte'),
      controller,
    };
    if (fileRef === undefined) {
      if (told.capacityBytes === undefined) throw invalid(name, `has an empty disk (${id}) without a size`);
      return { ...told, file: undefined, fileBytes: undefined };
    }
    return { ...told, ...reference(name, files.get(fileRef), fileRef) };
  });
}

function reference(
  name: string,
  file: Element | undefined,
  id: string,
): { file: string; fileBytes: number | undefined } {
  const href = attribute(file, 'href');
  if (href === undefined) throw invalid(name, `refers to a file ${JSON.stringify(id)} that it does not name`);
  const compression = attribute(file, 'compression');
  if (compression !== undefined && compression !== 'identity')
    throw invalid(
      name,
      `has ${href} compressed by ${compression}; unpack it, and take the attribute out of the descriptor`,
    );
  if (attribute(file, 'chunkSize') !== undefined)
    throw invalid(name, `has ${href} in chunks; put them together, and take the attribute out of the descriptor`);
  if (!isPlainName(href))
    throw invalid(name, `refers to ${JSON.stringify(href)}: files have to lie beside the descriptor`);
  return { file: href, fileBytes: inBytes(attribute(file, 'size'), undefined, 'byte') };
}

function byId(elements: readonly Element[], name: string): Map<string, Element> {
  return new Map(elements.map((element) => [attribute(element, name) ?? '', element]));
}
