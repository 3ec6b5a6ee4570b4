// A full disk: a job whose images do not fit where they are to be written, by an exporter of this test's own.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeDisk, servedDisk } from '../integration/export-setup.js';
import { hyperctl } from '../integration/cli-standin.js';
import { startStack } from '../integration/gateway-stack.js';
import { startWorkers } from '../integration/gateway-workers.js';
import { serviceProcesses } from '../integration/service-process.js';
import { freePort } from '../support/ports.js';
import { startVcsim } from '../support/vcsim.js';

const asRoot = process.getuid?.() === 0;
const ends: (() => unknown)[] = [];
let workDir: string;
let env: Record<string, string>;

beforeAll(async () => {
  const stack = await startStack();
  ends.push(() => stack.stop());
  const services = await serviceProcesses();
  ends.push(() => services.stop());
  const { folder } = services;
  workDir = path.join(folder, 'small');
  await mkdir(workDir);
  // Without root there is no file system of our own: then more has to stay free than any disk has.
  if (asRoot) {
    await execa('mount', ['-t', 'tmpfs', '-o', 'size=10m', 'tmpfs', workDir]);
    ends.push(() => execa('umount', [workDir]));
  }
  const disk = await makeDisk(folder, 'disk', 66 * 2 ** 20);
  const vcsim = await startVcsim({ vms: [{ name: 'production-db', disks: [servedDisk(disk)] }] });
  ends.push(() => vcsim.stop());
  const caFile = path.join(folder, 'vcenter.pem');
  await writeFile(caFile, vcsim.certificate);
  const gateway = await stack.gateway();
  const exporter = await services.start('exporter', {
    nats: { servers: stack.nats.servers },
    secrets: { key: stack.key },
    exporter: {
      work_dir: workDir,
      min_free_bytes: asRoot ? 0 : 2 ** 50,
      metrics_listen: `127.0.0.1:${await freePort()}`,
    },
  });
  // It writes there: ended before the file system is.
  ends.push(() => exporter.kill('SIGTERM'));
  ends.push(await startWorkers(stack.nats.servers, { quiet: true }, ['converter']));
  env = {
    HYPER2KVM_URL: gateway.url,
    VSPHERE_SERVER: vcsim.host,
    VSPHERE_USERNAME: vcsim.username,
    VSPHERE_PASSWORD: vcsim.password,
    VSPHERE_CA_FILE: caFile,
  };
});

afterAll(async () => {
  for (const end of ends.toReversed()) await end();
});

it('is told with the folder, the figures, the job, and what to do; the exit code is 1', async () => {
  const ran = await hyperctl(['convert', '--vm', 'production-db'], env, { stdin: 'ignore' });
  // The box at the end is wrapped.
  const said = `${String(ran.stdout)}\n${String(ran.stderr)}`.replaceAll(/\n {4,}/g, ' ');
  expect(ran.exitCode, said).toBe(1);
  const [, job = ''] = /\b(job-[a-z0-9]{12})\b/.exec(said) ?? [];
  expect(said).toMatch(new RegExp(`Error: +${workDir}/${job} has .* free; .* are needed, and .* have to stay free`));
  expect(said).toMatch(/Code: +DISK_FULL/);
  expect(said).toMatch(new RegExp(`Try: +Free space in the folder .*hyperctl retry --job ${job}`));
  expect(said).not.toMatch(/^\s+at |node_modules/m);

  const status = await hyperctl(['status', '--job', job, '--json'], env, { stdin: 'ignore' });
  expect(JSON.parse(String(status.stdout))).toMatchObject({
    status: 'failed',
    failure: { code: 'DISK_FULL', retryable: false },
  });
});
