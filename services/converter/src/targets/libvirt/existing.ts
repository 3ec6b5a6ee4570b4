import { JobError } from '@hyper2kvm/contracts';
import { XMLParser } from 'fast-xml-parser';
import { z } from 'zod';
import type { DomainPlan } from './plan.js';
import { knownDomains, virsh, type Virsh } from './virsh.js';

/** A domain that libvirt has, as far as it says which VM it is. */
export interface DefinedDomain {
  readonly name: string;
  readonly hasTpm: boolean;
}

const DomainXml = z.object({
  domain: z.object({
    devices: z.object({
      disk: z.array(z.object({ source: z.looseObject({ file: z.string().optional() }).optional() })).default([]),
      tpm: z.unknown().optional(),
    }),
  }),
});

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseAttributeValue: false,
  isArray: (_name, path) => path === 'domain.devices.disk',
});

/** The files of a domain's disks, and whether it has a TPM, of `virsh dumpxml`. */
export function readDomain(xml: string): { files: string[]; hasTpm: boolean } {
  const { devices } = DomainXml.parse(parser.parse(xml)).domain;
  return {
    files: devices.disk.flatMap(({ source }) => (source?.file === undefined ? [] : [source.file])),
    hasTpm: devices.tpm !== undefined,
  };
}

/**
 * The very domain of the plan, where libvirt has it: of its UUID and with its disks, whatever its owner changed since.
 * @throws JobError DOMAIN_EXISTS for another one of its name or its UUID
 */
export async function findDomain(libvirt: Virsh, plan: DomainPlan, folder: string): Promise<DefinedDomain | undefined> {
  const all = await knownDomains(libvirt);
  const same = all.find(({ uuid }) => uuid === plan.uuid);
  const namesake = all.find(({ name, uuid }) => name === plan.name && uuid !== plan.uuid);
  if (same !== undefined) {
    const { files, hasTpm } = readDomain(await virsh(libvirt, 'dumpxml', '--inactive', '--domain', same.uuid));
    const wanted = plan.disks.map(({ file }) => `${folder}/${file}`);
    if (wanted.every((file) => files.includes(file))) return { name: same.name, hasTpm };
    const what = `a domain ${same.name} of the same UUID (${same.uuid}) with other disks (${files.join(', ')})`;
    throw exists(libvirt.uri, what);
  }
  if (namesake === undefined) return undefined;
  throw exists(libvirt.uri, `another domain named ${namesake.name} (${namesake.uuid})`);
}

const exists = (uri: string, what: string): JobError =>
  new JobError('DOMAIN_EXISTS', `${uri} already has ${what}; it was left alone`, { step: 'define' });
