import { access } from 'node:fs/promises';
import path from 'node:path';
import { XMLParser } from 'fast-xml-parser';
import { isLocal, virsh, type Virsh } from './virsh.js';

export interface HostCapabilities {
  readonly accelerator: 'kvm' | 'qemu';
  /** Firmware files that its libvirt knows. */
  readonly loaders: readonly string[];
  readonly emulatesTpm: boolean;
}

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  isArray: (name) => name === 'value' || name === 'enum',
});

interface Capabilities {
  readonly domain?: string;
  readonly os?: { readonly loader?: { readonly value?: string[] } };
  readonly devices?: {
    readonly tpm?: { readonly supported?: string; readonly enum?: { name: string; value?: string[] }[] };
  };
}

/** What guests of x86 can have there. @throws JobError LIBVIRT */
export async function hostCapabilities(libvirt: Virsh): Promise<HostCapabilities> {
  return readCapabilities(await virsh(libvirt, 'domcapabilities', '--arch', 'x86_64', '--machine', 'q35'));
}

/** https://libvirt.org/formatdomaincaps.html */
export function readCapabilities(xml: string): HostCapabilities {
  const { domainCapabilities = {} } = parser.parse(xml) as { domainCapabilities?: Capabilities };
  const { domain, os, devices } = domainCapabilities;
  const backends = devices?.tpm?.enum?.find(({ name }) => name === 'backendModel')?.value ?? [];
  return {
    accelerator: domain === 'kvm' ? 'kvm' : 'qemu',
    loaders: os?.loader?.value ?? [],
    emulatesTpm: devices?.tpm?.supported === 'yes' && backends.includes('emulator'),
  };
}

/** Bytes; `available` is what is free or only caches files. @throws JobError LIBVIRT */
export async function hostMemory(libvirt: Virsh): Promise<{ totalBytes: number; availableBytes: number }> {
  const text = await virsh(libvirt, 'nodememstats');
  const bytes = (name: string): number =>
    Number(new RegExp(`^${name}\\s*:\\s*(\\d+) KiB`, 'm').exec(text)?.[1] ?? 0) * 1024;
  return { totalBytes: bytes('total'), availableBytes: bytes('free') + bytes('buffers') + bytes('cached') };
}

export interface HostNetworks {
  readonly networks: readonly string[];
  readonly active: readonly string[];
  /** Undefined where libvirt cannot tell. */
  hasBridge(name: string): Promise<boolean | undefined>;
}

/** @throws JobError LIBVIRT */
export async function hostNetworks(libvirt: Virsh): Promise<HostNetworks> {
  const names = async (...args: string[]): Promise<string[]> =>
    (await virsh(libvirt, 'net-list', '--name', ...args)).split('\n').flatMap((line) => line.trim() || []);
  const [networks, active] = await Promise.all([names('--all'), names()]);
  return {
    networks,
    active,
    hasBridge: (name) => (isLocal(libvirt.uri) ? isBridge(name) : hasDevice(libvirt, name)),
  };
}

async function isBridge(name: string): Promise<boolean> {
  return access(path.join('/sys/class/net', path.basename(name), 'bridge')).then(
    () => true,
    () => false,
  );
}

/** libvirt lists network devices as `net_br0_52_54_00_12_34_56`, other signs as `_`. */
async function hasDevice(libvirt: Virsh, name: string): Promise<boolean | undefined> {
  const devices = await virsh(libvirt, 'nodedev-list', '--cap', 'net').catch(() => '');
  if (devices.trim() === '') return undefined;
  const wanted = `net_${name.replaceAll(/[^A-Za-z0-9]/g, '_')}`;
  return devices.split('\n').some((line) => line === wanted || line.startsWith(`${wanted}_`));
}
