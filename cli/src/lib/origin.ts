import path from 'node:path';
import type { ConvertRequest } from '@hyper2kvm/contracts';

/** Where the VM of a job comes from. */
export interface Origin {
  /** Files on the exporter's machine, no vCenter. */
  readonly local: boolean;
  /** `vcenter.example.com`, `OVA web.ova`, `local files`. */
  readonly label: string;
}

/** Of a request: its files, or the vCenter that it names. */
export function originOf(source: ConvertRequest['source'], server: string | undefined): Origin {
  if (source === undefined) return { local: false, label: server ?? 'vCenter' };
  if (source.kind === 'disks') return { local: true, label: 'local files' };
  return { local: true, label: `${/\.ovf$/i.test(source.path) ? 'OVF' : 'OVA'} ${path.basename(source.path)}` };
}

/** Of a job: the gateway writes `local` where there is no vCenter. */
export const originOfJob = (job: { readonly vcenter_server: string }): Origin =>
  job.vcenter_server === 'local' ? { local: true, label: 'local files' } : { local: false, label: job.vcenter_server };
