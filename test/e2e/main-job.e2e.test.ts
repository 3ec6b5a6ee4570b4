// One command moves a real VM from a vCenter to a KVM guest that boots. Real: the guest, NATS, PostgreSQL, libguestfs, QEMU, SMTP,
// the services as a user starts them. The vCenter is govmomi's simulator: no other can run here.
import { readFile, stat } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import path from 'node:path';
import { execa } from 'execa';
import type { JobDetail } from '@hyper2kvm/contracts';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Mailbox } from '../support/mailbox.js';
import { bootImage, type BootOptions } from '../support/boot.js';
import { ensureGuest, type Guest } from '../support/guest/guest.js';
import { MAC, productionDb } from '../support/guest/vm.js';
import { assertQueriesReturnData } from '../support/grafana.js';
import { assertJobTrace } from '../support/job-trace.js';
import { startOtlpReceiver, type OtlpReceiver } from '../support/otlp.js';
import { prometheusProgram, startPrometheus, type Prometheus, type TargetGroup } from '../support/prometheus.js';
import { processesMentioning } from '../support/processes.js';
import { startStack, type LocalStack, type Ran } from '../support/stack.js';
import { startVcsim, type Vcsim } from '../support/vcsim.js';

const SCRAPE_SECONDS = 2;
const RECIPIENT = 'ops@example.com';
/** The same machine and the same time limit before and after. */
const VIRTIO: Omit<BootOptions, 'disks'> = {
  devices: 'virtio',
  limitMs: 300_000,
  until: /login:/,
  failOn: /ALERT!|Kernel panic/,
  nic: { mac: MAC },
};

let guest: Guest;
let vcenter: Vcsim;
let mailbox: Mailbox;
let otlp: OtlpReceiver;
let prometheus: Prometheus;
/** As `hyperctl daemon start` writes them for a Prometheus of this machine. */
let targets: TargetGroup[];
let stack: LocalStack;
let ran: Ran;
let job: JobDetail;
/** What `qemu-img compare` said of the export, and whether nothing had been committed into it by then. */
let exported: { verdict: string; untouched: boolean } | undefined;

/** Compares the exported image with the source disk while the conversion runs beside it on an overlay. */
async function compareExport(): Promise<void> {
  const folder = path.join('work', 'export');
  for (;;) {
    const images = (await stack.files(folder)).filter(
      (file) => file.endsWith('/disk1.qcow2') && !/\/a\d+\.e\d+\//.test(file),
    );
    const artifact = (await stack.files(folder)).some((file) => file.endsWith('/artifact.json'));
    const [image] = images;
    if (image !== undefined && artifact) {
      const { stdout } = await execa(
        'qemu-img',
        ['compare', '-U', '-f', 'qcow2', '-F', 'raw', path.join(stack.home, image), guest.rawPath],
        { reject: false },
      );
      const committing = (await stack.files('work')).some((file) => file.endsWith('/commit.json'));
      exported = { verdict: stdout, untouched: !committing };
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

beforeAll(async () => {
  guest = await ensureGuest();
  [vcenter, mailbox, otlp] = await Promise.all([
    startVcsim({ vms: [productionDb(guest)] }),
    Mailbox.open(),
    startOtlpReceiver(),
  ]);
  const telemetry = { OTEL_EXPORTER_OTLP_ENDPOINT: otlp.endpoint };
  const set = {
    'notifier.smtp.host': '127.0.0.1',
    'notifier.smtp.port': mailbox.port,
    'notifier.smtp.from': 'hyper2kvm@example.com',
  };
  stack = await startStack({ set, env: telemetry });
  targets = JSON.parse(
    await readFile(path.join(stack.home, 'run', 'prometheus-targets.json'), 'utf8'),
  ) as TargetGroup[];
  prometheus = await startPrometheus({ targets, scrapeSeconds: SCRAPE_SECONDS });
  // What happens before the first scrape is in no rate.
  await prometheus.scraped(2);
  const comparing = compareExport();
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
  ran = await stack.hyperctl(['convert', ...args, '--verify-boot', '--notify', RECIPIENT, '--json'], {
    env: { VSPHERE_PASSWORD: vcenter.password },
  });
  if (ran.exitCode !== 0) throw new Error(`hyperctl convert ended with ${ran.exitCode}\n${ran.stdout}\n${ran.stderr}`);
  job = JSON.parse(ran.stdout) as JobDetail;
  await comparing;
});

afterAll(async () => {
  await prometheus?.stop();
  await stack?.stop();
  await Promise.all([vcenter?.stop(), mailbox?.close(), otlp?.stop()]);
});

describe('hyperctl convert --verify-boot', () => {
  it('ends with 0 and a completed job that names its files', async () => {
    expect(job).toMatchObject({
      status: 'completed',
      vm_name: 'production-db',
      modifications: { virtio_drivers: true, bootloader_updated: true, network_fixed: true },
    });
    for (const file of [...job.files, job.domain_xml ?? '', job.proof?.serial_log ?? '', job.proof?.screenshot ?? '']) {
      expect((await stat(file)).size, file).toBeGreaterThan(0);
    }
  });

  it('exports an image that is identical in content to the source disk', () => {
    expect(exported).toEqual({ verdict: 'Images are identical.', untouched: true });
  });

  it('proves the boot by a signal from inside the guest, with its address on the NIC name it had', async () => {
    expect(job.proof).toMatchObject({ booted: true, hostname: 'production-db' });
    expect(job.proof?.addresses.join(' ')).toMatch(/ens192 10\.0\.2\.\d+/);
    const png = await readFile(job.proof?.screenshot ?? '');
    expect(png.subarray(1, 4).toString()).toBe('PNG');
  });

  it('writes a domain that libvirt accepts, with the MAC, the CPUs and the memory of the source', async () => {
    await execa('virt-xml-validate', [job.domain_xml ?? '', 'domain']);
    const xml = await readFile(job.domain_xml ?? '', 'utf8');
    expect(xml).toContain(MAC);
    expect(xml).toMatch(/<vcpu[^>]*>2<\/vcpu>/);
    for (const file of job.files) expect(xml).toContain(file);
  });

  it('leaves the vCenter as it was, and no process or work file', async () => {
    const state = await vcenter.control();
    expect(state.snapshots).toEqual([]);
    expect(state.leases.filter((lease) => lease.state === 'ready')).toEqual([]);
    expect((await processesMentioning(stack.home)).filter(({ command }) => /guestfish|qemu/.test(command))).toEqual([]);
    expect(await stack.files('work')).toEqual([]);
    expect((await stack.files('output')).filter((file) => file.endsWith('qcow2'))).toHaveLength(1);
  });

  it('sends an e-mail', async () => {
    await expect.poll(() => mailbox.mails.length, { timeout: 30_000 }).toBe(1);
    expect(mailbox.mails[0]?.to).toEqual([RECIPIENT]);
    expect(mailbox.mails[0]?.header('subject')).toMatch(/production-db/);
  });

  it('is one trace from the command to the mail: a tree with everything in it', async () => {
    expect(job.trace_id).toMatch(/^[0-9a-f]{32}$/);
    await vi.waitFor(() => assertJobTrace(otlp.spans, job.trace_id ?? ''), { timeout: 20_000, interval: 500 });
  });

  it('has metrics for every panel and every alert, with which promtool finds nothing wrong', async () => {
    await prometheus.scraped(2);
    await assertQueriesReturnData(prometheus.url, { scrapeSeconds: SCRAPE_SECONDS });
    const read = targets.flatMap((group) => group.targets);
    expect(read).toHaveLength(4);
    for (const target of read) {
      const input = await (await fetch(`http://${target}/metrics`)).text();
      const checked = await execa(prometheusProgram('promtool'), ['check', 'metrics'], { input, reject: false });
      expect([target, checked.exitCode, checked.stdout, checked.stderr]).toEqual([target, 0, '', '']);
    }
  });

  it('changes a guest that does not boot on virtio into one that does, on the same machine and with its network', async () => {
    const [file = ''] = job.files;
    const [before, after] = await Promise.all([
      bootImage({ ...VIRTIO, disks: [{ path: guest.rawPath, format: 'raw' }] }),
      bootImage({ ...VIRTIO, disks: [{ path: file, format: 'qcow2' }] }),
    ]);
    expect(before.booted).toBe(false);
    expect(before.log).toMatch(/ALERT! +\/dev\/sda1 does not exist/);
    expect(after.booted, after.log.slice(-2000)).toBe(true);
    expect(after.log).toMatch(/ens192\D+10\.0\.2\.\d+/);
    const same = (args: readonly string[]): string[] =>
      args.map((arg) =>
        arg
          .replace(guest.rawPath, 'DISK')
          .replace(file, 'DISK')
          .replace(/format=(raw|qcow2)|"driver": ?"(raw|qcow2)"/, 'FORMAT'),
      );
    expect(same(after.args)).toEqual(same(before.args));
  });
});

const convert = async (args: readonly string[], password: string): Promise<Ran> =>
  stack.hyperctl(['convert', '--username', vcenter.username, ...args], {
    env: { VSPHERE_PASSWORD: password },
    timeoutMs: 15_000,
  });

describe('a job that cannot start', () => {
  const silent = { port: 0, close: (): void => {} };
  beforeAll(async () => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => sockets.add(socket));
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    silent.port = (server.address() as AddressInfo).port;
    silent.close = () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    };
  });
  afterAll(() => silent.close());

  it.each([
    [
      'a wrong password',
      () => convert(['--vm', 'production-db', '--vcenter', vcenter.host, '--thumbprint', vcenter.thumbprint], 'wrong'),
      /refused the login/,
    ],
    [
      'an unknown VM',
      () =>
        convert(
          ['--vm', 'no-such-vm', '--vcenter', vcenter.host, '--thumbprint', vcenter.thumbprint],
          vcenter.password,
        ),
      /no-such-vm/,
    ],
    [
      'a vCenter that takes the connection and stays silent',
      () => convert(['--vm', 'production-db', '--vcenter', `127.0.0.1:${silent.port}`, '--insecure'], 'x'),
      /127\.0\.0\.1:\d+/,
    ],
    [
      'a closed port',
      () => convert(['--vm', 'production-db', '--vcenter', '127.0.0.1:1', '--insecure'], 'x'),
      /127\.0\.0\.1:1/,
    ],
  ])('%s is said within 15 seconds, without a job left behind', async (_, run, words) => {
    const before = await stack.hyperctl(['list', '--json']);
    const result = await run();
    expect(result.exitCode).toBeGreaterThan(0);
    expect(result.exitCode).toBeLessThan(10);
    expect(`${result.stdout}${result.stderr}`).toMatch(words);
    expect(`${result.stdout}${result.stderr}`).not.toMatch(/ {4}at .*:\d+:\d+/);
    expect(JSON.parse((await stack.hyperctl(['list', '--json'])).stdout)).toEqual(JSON.parse(before.stdout));
  });
});
