/** A vCenter with VMs of one disk each, a folder for their exports, and what tests do with both. */
import { access } from 'node:fs/promises';
import path from 'node:path';
import { exportVm, type Exported, type ExportRequest, type ExportSettings } from '@hyper2kvm/exporter';
import { expect } from 'vitest';
import { MinimalSoap, referenceIn } from '../support/soap.js';
import { startVcsim, type Vcsim, type VcsimVm } from '../support/vcsim.js';
import {
  endpointOf,
  makeDisk,
  recordingPorts,
  removeFolder,
  servedDisk,
  settingsFor,
  tempFolder,
  type Recorded,
  type TestDisk,
} from './export-setup.js';

const MIB = 2 ** 20;
let jobs = 0;

export interface Outcome {
  request: ExportRequest;
  recorded: Recorded;
  exported?: Exported;
  error?: unknown;
}

export class Site {
  private constructor(
    readonly folder: string,
    readonly vcsim: Vcsim,
    /** Of 200 MiB, of which little is used. */
    readonly disk: TestDisk,
  ) {}

  static async start(vms: (disk: TestDisk) => (Partial<VcsimVm> & { name: string })[]): Promise<Site> {
    const folder = await tempFolder();
    const disk = await makeDisk(folder, 'disk', 200 * MIB);
    const vcsim = await startVcsim({ vms: vms(disk).map((vm) => ({ disks: [servedDisk(disk)], ...vm })) });
    return new Site(folder, vcsim, disk);
  }

  async stop(): Promise<void> {
    await this.vcsim.stop();
    await removeFolder(this.folder);
  }

  /** Bytes per second of each download, 0 for no limit. */
  async rates(nfc: number, datastore = 0): Promise<void> {
    await this.vcsim.change({ settings: { nfc_bytes_per_second: nfc, folder_bytes_per_second: datastore } });
  }

  request(vmName: string, options: NonNullable<ExportRequest['options']> = {}): ExportRequest {
    const jobId = `job-site${++jobs}x`;
    return { jobId, attempt: 1, epoch: 1, vmName, endpoint: endpointOf(this.vcsim), options };
  }

  async run(
    request: ExportRequest,
    change: Partial<ExportSettings> = {},
    recorded: Recorded = recordingPorts(),
  ): Promise<Outcome> {
    return exportVm(request, settingsFor(this.folder, change), recorded.ports).then(
      (exported) => ({ request, recorded, exported }),
      (error: unknown) => ({ request, recorded, error }),
    );
  }

  /** An export that has to succeed. @throws its error */
  async done(...args: Parameters<Site['run']>): Promise<Outcome & { exported: Exported }> {
    const outcome = await this.run(...args);
    const { exported } = outcome;
    if (exported === undefined) throw outcome.error;
    return { ...outcome, exported };
  }

  /** Neither snapshot nor lease nor file of an export. */
  async expectNothingLeft({ jobId }: ExportRequest, workDir = this.folder): Promise<void> {
    const state = await this.vcsim.control();
    expect(state.snapshots).toEqual([]);
    expect(state.leases.filter((lease) => lease.state === 'ready')).toEqual([]);
    await expect(access(path.join(workDir, jobId))).rejects.toThrow('ENOENT');
  }

  async login(): Promise<MinimalSoap> {
    const soap = new MinimalSoap(this.vcsim.url, this.vcsim.certificate);
    await soap.login(this.vcsim.username, this.vcsim.password);
    return soap;
  }

  async vmRef(name: string): Promise<{ type: string; value: string }> {
    const soap = await this.login();
    const where = `<inventoryPath>/DC0/vm/${name}</inventoryPath>`;
    const answer = await soap.call('FindByInventoryPath', { type: 'SearchIndex', value: 'SearchIndex' }, where);
    return referenceIn(answer, 'VirtualMachine');
  }

  async powerOf(name: string): Promise<string | undefined> {
    const { value } = await this.vmRef(name);
    return (await this.vcsim.control()).power[value];
  }
}

/** The first bytes of the first disk have come. */
export const isMoving = ({ progress }: Recorded): boolean => (progress.at(-1)?.disks?.[0]?.bytes_downloaded ?? 0) > 0;

/** Ports of an export that is stopped as soon as it moves. */
export const stoppedOnceMoving = (kind: 'cancelled' | 'shutdown'): Recorded =>
  recordingPorts((at) => {
    if (isMoving(at)) at.stop.abort(Object.assign(new Error(kind), { kind }));
  });
