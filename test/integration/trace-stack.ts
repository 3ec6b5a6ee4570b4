/** Gateway, exporter and notifier as processes, a converter that stands in, a simulated vCenter, and a collector of their spans. */
import path from 'node:path';
import { JobError, ConvertAccepted } from '@hyper2kvm/contracts';
import { createLogger, setSpanSeconds } from '@hyper2kvm/runtime';
import { flushTelemetry, startTelemetry } from '@hyper2kvm/runtime/telemetry';
import { expect } from 'vitest';
import { Mailbox } from '../support/mailbox.js';
import { startOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from '../support/otlp.js';
import { spansOf, traceTree, type TraceNode } from '../support/trace-tree.js';
import { startVcsim, type Vcsim } from '../support/vcsim.js';
import { hyperctl } from './cli-standin.js';
import { makeDisk, removeFolder, tempFolder } from './export-setup.js';
import { Client } from './gateway-client.js';
import { startStack, until, type Gateway, type Stack } from './gateway-stack.js';
import { startWorkers } from './gateway-workers.js';
import { serviceProcesses, type ServiceProcess } from './service-process.js';

const MIB = 2 ** 20;
/** A span is told in pieces of this length. */
const SPAN_SECONDS = 1;

export class TraceStack {
  readonly failing = new Map<string, JobError[]>();
  exporter!: ServiceProcess;
  notifier!: ServiceProcess;

  private constructor(
    readonly folder: string,
    readonly stack: Stack,
    readonly processes: Awaited<ReturnType<typeof serviceProcesses>>,
    readonly collector: OtlpReceiver,
    readonly mailbox: Mailbox,
    readonly vcsim: Vcsim,
    readonly gateway: Gateway,
    private readonly stopConverter: (failing: Map<string, JobError[]>) => Promise<() => Promise<void>>,
  ) {}
  #stopWorkers: () => Promise<void> = async () => {};

  static async start(): Promise<TraceStack> {
    // Spans are sent at once, by the services as well.
    process.env['OTEL_BSP_SCHEDULE_DELAY'] = '100';
    const folder = await tempFolder();
    const [stack, processes, collector, mailbox, disk] = await Promise.all([
      startStack(),
      serviceProcesses(),
      startOtlpReceiver(),
      Mailbox.open(),
      makeDisk(folder, 'disk', 200 * MIB),
    ]);
    const disks = [{ capacity_bytes: disk.capacityBytes, vmdk: disk.vmdk }];
    const vcsim = await startVcsim({ vms: ['web', 'killed', 'one', 'two'].map((name) => ({ name, disks })) });
    const telemetry = { otlp_endpoint: collector.endpoint, span_seconds: SPAN_SECONDS };
    const retries = { retry_policy: { retry_delay: 0.1, max_retries: 1 } };
    const gateway = await stack.gateway({ telemetry, ...retries, logging: { level: 'debug' } });
    setSpanSeconds(SPAN_SECONDS);
    const logger = createLogger('converter', 'silent');
    const config = { ...telemetry, headers: {}, sample_ratio: 1, logs: false, database_spans: false };
    await startTelemetry({ service: 'converter', workerId: 'converter-1', config, logger });
    const convert = (failing: Map<string, JobError[]>): Promise<() => Promise<void>> =>
      startWorkers(
        stack.nats.servers,
        {
          quiet: true,
          converting: async ({ vm_name: vm }) => {
            const error = failing.get(vm)?.shift();
            if (error !== undefined) throw error;
          },
        },
        ['converter'],
      );
    const made = new TraceStack(folder, stack, processes, collector, mailbox, vcsim, gateway, convert);
    made.#stopWorkers = await made.stopConverter(made.failing);
    await made.startExporter();
    made.notifier = await made.#service('notifier', {
      smtp: { host: '127.0.0.1', port: mailbox.port, starttls: 'never' },
    });
    return made;
  }

  async startExporter(): Promise<void> {
    const section = { work_dir: path.join(this.folder, 'export'), shutdown_grace_seconds: 0, min_free_bytes: 0 };
    this.exporter = await this.#service('exporter', section);
  }

  #service(name: string, section: object): Promise<ServiceProcess> {
    return this.processes.start(name, {
      nats: { servers: this.stack.nats.servers },
      secrets: { key: this.stack.key },
      telemetry: { otlp_endpoint: this.collector.endpoint, span_seconds: SPAN_SECONDS },
      logging: { level: 'debug' },
      [name]: section,
    });
  }

  get client(): Client {
    return new Client(this.gateway);
  }

  get vcenter(): object {
    const { host, username, password, thumbprint } = this.vcsim;
    return { server: host, username, password, thumbprint };
  }

  /** As a user does it; resolves when hyperctl has ended. */
  convert(vm: string, ...flags: string[]): ReturnType<typeof hyperctl> {
    const { host, username, password, thumbprint } = this.vcsim;
    const login = ['--vcenter', host, '--username', username, '--thumbprint', thumbprint];
    return hyperctl(['convert', '--vm', vm, ...login, '--url', this.gateway.url, '--no-start', ...flags], {
      VSPHERE_PASSWORD: password,
      OTEL_EXPORTER_OTLP_ENDPOINT: this.collector.endpoint,
    });
  }

  /** Through the API, without a trace; the id. */
  async ask(vm: string, options: object = {}): Promise<string> {
    const response = await this.client.send('POST', '/api/v1/convert', { vm_name: vm, vcenter: this.vcenter, options });
    const body: unknown = await response.json();
    expect(response.status, JSON.stringify(body)).toBe(202);
    return ConvertAccepted.parse(body).job_id;
  }

  send(method: string, to: string, body: object, traceparent: string): Promise<Response> {
    const headers = { 'content-type': 'application/json', traceparent };
    return fetch(this.gateway.url + to, { method, headers, body: JSON.stringify(body) });
  }

  /** The newest job of a VM. */
  async jobOf(vm: string): Promise<{ id: string; traceId: string }> {
    const { rows } = await this.stack.db.query<{ id: string; trace_id: string }>(
      'SELECT id, trace_id FROM jobs WHERE vm_name = $1 ORDER BY created_at DESC LIMIT 1',
      [vm],
    );
    return { id: rows[0]?.id ?? '', traceId: rows[0]?.trace_id ?? '' };
  }

  /** The tree once it is whole: spans come in any order, each when it ended. */
  tree(traceId: string, last: (spans: readonly ReceivedSpan[]) => boolean): Promise<TraceNode> {
    return until(
      async () => {
        if (!last(spansOf(this.collector.spans, traceId))) throw new Error('the last of it has not come');
        return traceTree(this.collector.spans, traceId);
      },
      () => true,
    );
  }

  /** Lines of the services' logs that are about a job. */
  linesOf(jobId: string): Record<string, unknown>[] {
    return [this.gateway, this.exporter, this.notifier]
      .flatMap((service) => service.log().split('\n'))
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter((line) => line['job_id'] === jobId);
  }

  async stop(): Promise<void> {
    await this.#stopWorkers();
    await flushTelemetry();
    await this.processes.stop();
    await this.stack.stop();
    await this.vcsim.stop();
    await this.mailbox.close();
    await this.collector.stop();
    await removeFolder(this.folder);
  }
}
