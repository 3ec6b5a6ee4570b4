/**
 * Where the docs' commands run: services of their own, since many of the commands change the whole fleet, and a simulated vCenter
 * with the VMs that the docs speak of. Exporter, gateway and notifier are the real ones, the converter is a stand-in.
 */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Pool } from 'pg';
import { makeDisk, servedDisk } from '../../integration/export-setup.js';
import { startStack } from '../../integration/gateway-stack.js';
import { startWorkers } from '../../integration/gateway-workers.js';
import { serviceProcesses } from '../../integration/service-process.js';
import { Mailbox } from '../../support/mailbox.js';
import { freePort } from '../../support/ports.js';
import { startVcsim, type VcsimVm } from '../../support/vcsim.js';
import { startReceiver } from '../site/receiver.js';
import { convertLikeTheSite } from './converter.js';

export interface World {
  readonly url: string;
  readonly db: Pool;
  readonly nats: readonly string[];
  /** Everything that the commands may read or write; removed in the end. */
  readonly folder: string;
  readonly vcenter: {
    readonly server: string;
    readonly username: string;
    readonly password: string;
    readonly caFile: string;
  };
  stop(): Promise<void>;
}

const NOTHING = { argv: ['/bin/true'] };
const DISK_BYTES = 66 * 2 ** 20;

/** Name, and folder of DC1. */
const VMS: readonly (readonly [name: string, change?: Partial<VcsimVm>])[] = [
  ['production-db', { tags: ['env:production'], power_state: 'poweredOn', tools: 'running' }],
  ['standby-db'],
  ['vault'],
  ['old-mail'],
  ['web-01', { folder: 'web', tags: ['env:production', 'tier:frontend'] }],
  ['web-02', { folder: 'web' }],
  ['web-03', { folder: 'web' }],
  ['web-server-01', { folder: 'web' }],
  ['web-server-02', { folder: 'web' }],
  ['db-server-primary'],
  ['db-server-standby'],
  // Of the design document.
  ['vm-name'],
  ['broken-01'],
];

export async function openWorld(): Promise<World> {
  const ends: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0).toReversed()) await end();
  };
  try {
    return { ...(await open(ends)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function open(ends: (() => unknown)[]): Promise<Omit<World, 'stop'>> {
  const stack = await startStack();
  ends.push(() => stack.stop());
  const mailbox = await Mailbox.open();
  ends.push(() => mailbox.close());
  const receiver = await startReceiver(false);
  ends.push(() => receiver.stop());
  const services = await serviceProcesses();
  ends.push(() => services.stop());
  const folder = path.join(services.folder, 'docs');
  await mkdir(folder);
  // The database of a local stack beneath it runs as another user.
  for (const one of [services.folder, folder]) await chmod(one, 0o711);
  const disk = await makeDisk(services.folder, 'disk', DISK_BYTES);
  const vcsim = await startVcsim({
    vms: VMS.map(([name, change], index) => ({
      name,
      datacenter: 'DC1',
      instance_uuid: `52000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
      disks: [servedDisk(disk)],
      nics: [{ mac: `00:50:56:00:00:${String(index + 10)}`, network: 'VM Network' }],
      ...change,
    })),
  });
  ends.push(() => vcsim.stop());
  const caFile = path.join(folder, 'vcenter.pem');
  await writeFile(caFile, vcsim.certificate);
  const nats = { servers: stack.nats.servers };
  const common = { nats, secrets: { key: stack.key } };
  const targets = { kvm1: { libvirt_uri: 'qemu+ssh://root@kvm1/system' } };
  const smtp = { host: '127.0.0.1', port: mailbox.port, from: 'hyper2kvm@example.com', to: ['ops@example.com'] };
  const gateway = await stack.gateway({
    targets,
    gateway: { shutdown_grace_seconds: 0 },
    retry_policy: { max_retries: 0 },
  });
  await Promise.all([
    services.start('exporter', {
      ...common,
      hooks: { commands: { 'open-firewall': NOTHING, 'freeze-app': NOTHING } },
      exporter: {
        worker_id: 'kvm01-exporter',
        work_dir: path.join(services.folder, 'work'),
        allowed_roots: [folder],
        min_free_bytes: 0,
        shutdown_grace_seconds: 0,
        metrics_listen: `127.0.0.1:${await freePort()}`,
      },
    }),
    services.start('notifier', {
      ...common,
      notifier: {
        smtp,
        slack: receiver.slack,
        webhook: { secret: randomBytes(24).toString('base64url'), endpoints: receiver.endpoints },
        metrics_listen: `127.0.0.1:${await freePort()}`,
      },
    }),
  ]);
  for (const host of ['kvm01', 'kvm02']) {
    const workerId = (service: string): string => `${host}-${service}`;
    const behaviour = { converting: convertLikeTheSite, quiet: true, slots: 4, workerId };
    ends.push(await startWorkers(stack.nats.servers, behaviour, ['converter']));
  }
  return {
    url: gateway.url,
    db: stack.db,
    nats: stack.nats.servers,
    folder,
    vcenter: { server: vcsim.host, username: vcsim.username, password: vcsim.password, caFile },
  };
}
