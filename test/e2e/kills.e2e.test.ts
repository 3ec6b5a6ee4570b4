// Any process may be killed at any instant and the job still ends right: the exporter in the middle of a download, the converter
// after its first write to the guest, and again during the commit. The local stack's supervisor starts them anew.
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { JobDetail } from '@hyper2kvm/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootImage } from '../support/boot.js';
import { ensureGuest, type Guest } from '../support/guest/guest.js';
import { MAC, productionDb } from '../support/guest/vm.js';
import { processesMentioning } from '../support/processes.js';
import { startStack, type LocalStack } from '../support/stack.js';
import { startVcsim, type Vcsim } from '../support/vcsim.js';

let guest: Guest;
let vcenter: Vcsim;
let stack: LocalStack;
let job: JobDetail;
let killedAtPercent = 0;
let bytesBeforeConversion = 0;
const survivors: string[] = [];

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const fetched = async (): Promise<number> =>
  (await vcenter.control()).downloads.reduce((sum, { bytes }) => sum + bytes, 0);

async function until(what: string, holds: () => Promise<boolean>, limitMs = 600_000, everyMs = 100): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`${what} did not happen within ${limitMs / 1000} s`);
    await sleep(everyMs);
  }
}

/** Kills the converter and looks whether a guestfish or QEMU outlives it. */
async function killConverter(): Promise<void> {
  await stack.kill('converter');
  const left = async () =>
    (await processesMentioning(stack.home)).filter(({ command }) => /guestfish|qemu-system/.test(command));
  // A new appliance can only belong to the next conversion, which starts no sooner than the lease allows.
  await until('the end of the appliance', async () => (await left()).length === 0, 5_000).catch(async () => {
    survivors.push(...(await left()).map(({ command }) => command));
  });
}

beforeAll(async () => {
  guest = await ensureGuest();
  // Slow enough that the download can be met between 60 and 80 %.
  vcenter = await startVcsim({ vms: [productionDb(guest)], nfcBytesPerSecond: 20_000_000 });
  stack = await startStack();
  const args = [
    '--vm',
    'production-db',
    '--vcenter',
    vcenter.host,
    '--username',
    vcenter.username,
    '--thumbprint',
    vcenter.thumbprint,
  ];
  const accepted = await stack.hyperctl(['convert', ...args, '--detach', '--json'], {
    env: { VSPHERE_PASSWORD: vcenter.password },
  });
  if (accepted.exitCode !== 0) throw new Error(`${accepted.stdout}${accepted.stderr}`);
  const id = (JSON.parse(accepted.stdout) as { job_id: string }).job_id;

  const { size: streamBytes } = await stat(guest.vmdkPath);
  const share = async (): Promise<number> => {
    const { disks } = (await stack.job(id)).progress;
    return disks.reduce((sum, disk) => sum + disk.bytes_downloaded, 0) / streamBytes;
  };
  await until('60 % of the download', async () => (await share()) >= 0.6, 120_000, 20);
  await stack.kill('exporter');
  killedAtPercent = (await share()) * 100;
  await vcenter.setNfcRate(0);

  await until('the conversion', async () => (await stack.job(id)).status === 'converting');
  bytesBeforeConversion = await fetched();
  // The step after the first one that writes.
  await until('the first write', async () => (await stack.job(id)).conversion.steps_completed >= 2);
  await killConverter();

  await until(
    'the commit',
    async () => (await stack.files('work')).some((file) => file.endsWith('/commit.json')),
    900_000,
    20,
  );
  await killConverter();

  await until('the end', async () => ['completed', 'failed'].includes((await stack.job(id)).status));
  job = await stack.job(id);
});

afterAll(async () => {
  await stack?.stop();
  await vcenter?.stop();
});

describe('after kill -9 of the exporter, of the converter, and of the converter in its commit', () => {
  it('the exporter was met between 60 and 80 %', () => {
    expect(killedAtPercent).toBeGreaterThanOrEqual(60);
    expect(killedAtPercent).toBeLessThanOrEqual(80);
  });

  it('the job completes', () => {
    expect(job.failure).toBeNull();
    expect(job.status).toBe('completed');
  });

  it('no byte was fetched again after the export was complete', async () => {
    expect(await fetched()).toBe(bytesBeforeConversion);
  });

  it('there is exactly one output, whole, and it boots', async () => {
    const output = await stack.files('output');
    expect(output.filter((file) => file.endsWith('.qcow2'))).toHaveLength(1);
    expect(output.filter((file) => file.endsWith('manifest.json'))).toHaveLength(1);
    expect(output.filter((file) => file.includes('.partial'))).toEqual([]);
    const [file = ''] = job.files;
    const boot = await bootImage({
      disks: [{ path: file, format: 'qcow2' }],
      devices: 'virtio',
      limitMs: 300_000,
      until: /login:/,
      failOn: /ALERT!|Kernel panic/,
      nic: { mac: MAC },
    });
    expect(boot.booted, boot.log.slice(-2000)).toBe(true);
  });

  it('no snapshot, appliance, QEMU or temporary file is left', async () => {
    const state = await vcenter.control();
    expect(state.snapshots).toEqual([]);
    // The killed exporter's lease belongs to its dead session: the vCenter lets go of it after 300 s by itself.
    expect(state.leases.filter((lease) => lease.state === 'ready').length).toBeLessThanOrEqual(1);
    expect(survivors).toEqual([]);
    expect((await processesMentioning(stack.home)).filter(({ command }) => /guestfish|qemu/.test(command))).toEqual([]);
    expect(await stack.files('work')).toEqual([]);
  });

  it('no secret lies in clear in the logs or the configuration of the services', async () => {
    for (const file of [...(await stack.files('logs')), ...(await stack.files('nats'))]) {
      const content = await readFile(`${stack.home}/${file}`);
      expect(
        content.includes(vcenter.password),
        `${file} ${createHash('sha256').update(content).digest('hex').slice(0, 8)}`,
      ).toBe(false);
    }
  });
});
