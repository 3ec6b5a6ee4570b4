/**
 * What the tests of commands share, started once for all of them: real NATS, PostgreSQL, gateway, exporter and notifier, a simulated
 * vCenter, a real SMTP server. The converter is a stand-in that speaks through the real runtime and converts nothing: libguestfs
 * takes a minute for each VM where there is no KVM. test/e2e runs the commands with the real one.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { JobError, type ConversionRequested, type ImportRequested, type VerifyRequested } from '@hyper2kvm/contracts';
import type { WorkContext } from '@hyper2kvm/runtime';
import type { TestProject } from 'vitest/node';
import { makeDisk, servedDisk } from '../../integration/export-setup.js';
import { startStack } from '../../integration/gateway-stack.js';
import { startWorkers } from '../../integration/gateway-workers.js';
import { serviceProcesses } from '../../integration/service-process.js';
import { Mailbox } from '../../support/mailbox.js';
import { freePort } from '../../support/ports.js';
import { startVcsim } from '../../support/vcsim.js';
import { startReceiver } from './receiver.js';
import { VMS } from './vms.js';

/** What a test is told of it: it runs in a process of its own. */
export interface Site {
  /** Gateway without tokens: everybody is an admin. */
  readonly url: string;
  /** Another gateway of the same database that wants tokens. */
  readonly securedUrl: string;
  readonly adminToken: string;
  readonly database: string;
  readonly nats: readonly string[];
  readonly vcenter: {
    readonly server: string;
    readonly username: string;
    readonly password: string;
    readonly thumbprint: string;
    readonly caFile: string;
  };
  /** `host:port` of the SMTP server, whose mails nobody reads. */
  readonly smtp: string;
  /** Gives with GET what Slack and other systems were told: `{path, body}[]`. */
  readonly receiver: string;
  /** Removed in the end. */
  readonly folder: string;
  /** Where the exporter may read local files; holds `import/web.raw`. */
  readonly imports: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    site: Site;
  }
}

const DISK_BYTES = 66 * 2 ** 20;
const STEPS = ['inspect', 'fstab', 'bootloader', 'initramfs', 'network'] as const;

async function convert({ vm_name: vm }: ConversionRequested, work: WorkContext): Promise<void> {
  if (vm.includes('broken'))
    throw new JobError('CONVERSION_STEP', 'dracut failed: no space left on device', { retryable: false });
  const pauseMs = vm.includes('slow') ? 4_000 : 20;
  for (const [done, step] of STEPS.entries()) {
    work.progress({
      phase: 'conversion',
      percent_complete: (100 * done) / STEPS.length,
      step,
      steps_completed: done,
      steps_total: STEPS.length,
    });
    await sleep(pauseMs, undefined, { signal: work.signal });
  }
  while (vm.includes('stuck')) await sleep(1_000, undefined, { signal: work.signal });
}

/** What is asked for of a result. */
const afterwards = {
  verifying: ({ folder }: VerifyRequested): Promise<object> =>
    Promise.resolve(
      folder.includes('differs')
        ? { identical: false, files: [{ file: `${folder}/disk1.qcow2`, segments: 128, first_difference: 17 }] }
        : {},
    ),
  importing: ({ folder }: ImportRequested): Promise<object> =>
    folder.includes('refused')
      ? Promise.reject(new JobError('LIBVIRT', 'libvirt refused: no network default', { retryable: false }))
      : Promise.resolve({}),
};

export default async function start(project: TestProject): Promise<() => Promise<void>> {
  const ends: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0).toReversed()) await end();
  };
  try {
    project.provide('site', await open(ends));
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}

async function open(ends: (() => unknown)[]): Promise<Site> {
  const stack = await startStack();
  ends.push(() => stack.stop());
  const mailbox = await Mailbox.open();
  ends.push(() => mailbox.close());
  const receiver = await startReceiver(true);
  ends.push(() => receiver.stop());
  const services = await serviceProcesses();
  ends.push(() => services.stop());
  const { folder } = services;
  const imports = path.join(folder, 'import');
  await mkdir(imports);
  const disk = await makeDisk(folder, 'disk', DISK_BYTES);
  await makeDisk(imports, 'web', DISK_BYTES);
  const vms = VMS.map((name) => ({ name, instance_uuid: uuidOf(name), disks: [servedDisk(disk)] }));
  const vcsim = await startVcsim({ vms });
  ends.push(() => vcsim.stop());
  const caFile = path.join(folder, 'vcenter.pem');
  await writeFile(caFile, vcsim.certificate);
  const nats = { servers: stack.nats.servers };
  const common = { nats, secrets: { key: stack.key } };
  const adminToken = `test-${randomBytes(24).toString('base64url')}`;
  const smtp = { host: '127.0.0.1', port: mailbox.port, from: 'hyper2kvm@example.com', to: ['ops@example.com'] };
  const exporter = {
    work_dir: path.join(folder, 'work'),
    allowed_roots: [imports],
    min_free_bytes: 0,
    shutdown_grace_seconds: 0,
    metrics_listen: `127.0.0.1:${await freePort()}`,
  };
  const notifier = {
    smtp,
    slack: receiver.slack,
    webhook: { secret: randomBytes(24).toString('base64url'), endpoints: receiver.endpoints },
    rules: [{ name: 'never', facts: ['job.failed'], tags: ['no-job-has-it'], to: { slack: ['ops'] } }],
    metrics_listen: `127.0.0.1:${await freePort()}`,
  };
  // One after the other: the first makes the tables.
  const anybody = await stack.gateway();
  const [secured] = await Promise.all([
    stack.gateway({ gateway: { api: { auth: { enabled: true, token: adminToken } } } }),
    services.start('exporter', { ...common, exporter }),
    services.start('notifier', { ...common, notifier }),
  ]);
  ends.push(
    await startWorkers(stack.nats.servers, { converting: convert, ...afterwards, quiet: true, slots: 4 }, [
      'converter',
    ]),
  );
  return {
    url: anybody.url,
    securedUrl: secured.url,
    adminToken,
    database: stack.postgres.url,
    nats: stack.nats.servers,
    vcenter: {
      server: vcsim.host,
      username: vcsim.username,
      password: vcsim.password,
      thumbprint: vcsim.thumbprint,
      caFile,
    },
    smtp: `127.0.0.1:${mailbox.port}`,
    receiver: receiver.url,
    folder,
    imports,
  };
}

/** The simulator would give all of them one. */
const uuidOf = (name: string): string =>
  createHash('sha256')
    .update(name)
    .digest('hex')
    .replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5');
