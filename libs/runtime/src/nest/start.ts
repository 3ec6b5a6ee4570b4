import 'reflect-metadata';
import { hostname } from 'node:os';
import type { Server } from 'node:http';
import { Module, type DynamicModule, type INestApplication, type INestMicroservice, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { AbstractHttpAdapter } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import type { z } from 'zod';
import { Bus } from '../bus/bus.js';
import { openBus } from '../open.js';
import { Claims } from '../claims/claims.js';
import { ConfigError, loadConfig } from '../config/load.js';
import { startHealthServer, parseListen } from '../health/server.js';
import { diskFree, startHeartbeat } from '../health/heartbeat.js';
import { folderCheck, liveness, natsCheck, readiness, type ReadyCheck } from '../health/readiness.js';
import { WorkerState } from '../health/state.js';
import { CommandQueue } from '../lanes/queue.js';
import { onChildStart } from '../process/spawn.js';
import { traceChild } from '../process/trace.js';
import { Sealer } from '../secrets/sealer.js';
import { createLogger, NestLogger } from '../telemetry/logger.js';
import { setSpanSeconds } from '../telemetry/long-span.js';
import { collectProcessMetrics } from '../telemetry/metrics.js';
import { exposeProcess } from '../telemetry/runtime-metrics.js';
import { flushTelemetry, startTelemetry } from '../telemetry/register.js';
import { VERSION } from '../version.js';
import type { Duty } from '../work/duty.js';
import { JetStreamStrategy } from './strategy.js';
import { CONFIG, LOGGER, SERVICE_CONFIG } from './tokens.js';

/** What the runtime reads from a service's section, where it is there. */
interface SectionKeys {
  readonly worker_id?: string | undefined;
  readonly pools?: readonly string[] | undefined;
  readonly slots?: number | undefined;
  readonly work_dir?: string | undefined;
  readonly output_dir?: string | undefined;
  readonly metrics_listen?: string | undefined;
  readonly shutdown_grace_seconds?: number | undefined;
}

export interface ServiceOptions<Section extends z.ZodType> {
  /** Also the name of its section in the configuration. */
  readonly name: string;
  readonly module: Type | DynamicModule;
  readonly section: Section;
  /** Whether it seals or opens secrets: then it cannot start without their key, and others never hold it. */
  readonly secrets?: boolean;
  /** Where its consumers of facts begin when they are first made: with all that there is, or with what comes from then on. */
  readonly factsFrom?: 'all' | 'new';
  /** Other sections that it reads. */
  readonly sections?: Record<string, z.ZodType>;
  /** A service with an HTTP API: its adapter, and where it listens. */
  readonly http?: {
    readonly adapter: (config: z.infer<Section>) => AbstractHttpAdapter;
    readonly listen: (config: z.infer<Section>) => string;
    /** Before its routes are made. */
    readonly configure?: (app: INestApplication, config: z.infer<Section>) => void | Promise<void>;
    /** Another way in, once it listens; what it gives back ends that. */
    readonly listenBesides?: (app: INestApplication, config: z.infer<Section>) => Promise<() => Promise<void>>;
  };
}

/** What settling may take after the grace time, before the process ends as it is. */
const STOP_LIMIT_MS = 10_000;

@Module({})
class RuntimeModule {}

/** A paused worker is as its operator wants it, and finishes what it has; one that drains is about to go. */
const whyNoWork = (duty: Duty): string | undefined =>
  duty === 'draining' ? 'it is draining: it finishes its jobs and takes no others' : undefined;

const gigabytesFree = async (folder: string | undefined): Promise<number | null> => {
  const bytes = await diskFree(folder);
  return bytes === null ? null : Math.round(bytes / 1e8) / 10;
};

/** Letters that a bucket key and a log like. */
const safeId = (text: string): string => text.replaceAll(/[^A-Za-z0-9_-]/g, '-');

/** Boots a service and keeps it running until SIGTERM or SIGINT. Ends the process with 1, and one clear line, when it cannot start. */
export async function startService<Section extends z.ZodType>(options: ServiceOptions<Section>): Promise<void> {
  try {
    await boot(options);
  } catch (error) {
    const text =
      error instanceof ConfigError ? error.message : `${options.name} could not start: ${(error as Error).message}`;
    process.stderr.write(`${text}\n`);
    if (!(error instanceof ConfigError) && process.env['HYPER2KVM_DEBUG'] !== undefined)
      process.stderr.write(`${(error as Error).stack}\n`);
    process.exit(1);
  }
}

async function boot<Section extends z.ZodType>(options: ServiceOptions<Section>): Promise<void> {
  const { name } = options;
  const notices: string[] = [];
  const config = loadConfig({ ...options.sections, [name]: options.section }, process.env, (text) =>
    notices.push(text),
  );
  const section = config[name] as SectionKeys & z.infer<Section>;
  const logger = createLogger(name, config.logging.level);
  for (const text of notices) logger.warn(`configuration: ${text}`);
  const workerId = safeId(section.worker_id ?? `${hostname()}-${name}`);
  await startTelemetry({ service: name, workerId, config: config.telemetry, logger });
  collectProcessMetrics();
  setSpanSeconds(config.telemetry.span_seconds);
  onChildStart(traceChild);

  const { bus, claims, queue, close } = await openBus({ nats: config.nats, service: name, workerId, logger });
  const pools = section.pools ?? ['any'];
  const slots = section.slots ?? 1;
  const graceMs = (section.shutdown_grace_seconds ?? 5) * 1000;
  const strategy = new JetStreamStrategy({
    bus,
    claims,
    logger,
    service: name,
    workerId,
    pools,
    slots,
    factsFrom: options.factsFrom ?? 'all',
    graceMs,
  });

  exposeProcess({
    service: name,
    isConnected: () => bus.status() === 'connected',
    slots: () => strategy.slots,
    folders: { work: section.work_dir, output: section.output_dir },
  });

  const state = new WorkerState(workerId);
  const providers = [
    { provide: WorkerState, useValue: state },
    { provide: Bus, useValue: bus },
    { provide: Claims, useValue: claims },
    { provide: CommandQueue, useValue: queue },
    ...(options.secrets === true ? [{ provide: Sealer, useValue: Sealer.fromConfig(config.secrets) }] : []),
    { provide: SERVICE_CONFIG, useValue: section },
    { provide: CONFIG, useValue: config },
    { provide: LOGGER, useValue: logger },
  ];
  const root: DynamicModule = {
    module: RuntimeModule,
    global: true,
    providers,
    exports: providers.map(({ provide }) => provide),
    imports: [options.module],
  };

  const nestLogger = new NestLogger(logger);
  let app: INestApplication | INestMicroservice;
  let stopBesides: (() => Promise<void>) | undefined;
  if (options.http) {
    const http = await NestFactory.create(root, options.http.adapter(section), {
      logger: nestLogger,
      abortOnError: false,
      // The adapter knows which bodies it takes: Nest's own parsers would add forms.
      bodyParser: false,
    });
    await options.http.configure?.(http, section);
    http.connectMicroservice<MicroserviceOptions>({ strategy }, { inheritAppConfig: false });
    await http.startAllMicroservices();
    const { host, port } = parseListen(options.http.listen(section));
    await http.listen(port, host);
    stopBesides = await options.http.listenBesides?.(http, section);
    app = http;
  } else {
    const microservice = await NestFactory.createMicroservice<MicroserviceOptions>(root, {
      strategy,
      logger: nestLogger,
      abortOnError: false,
    });
    await microservice.listen();
    app = microservice;
  }
  const heartbeat = await startHeartbeat(bus, {
    service: name,
    workerId,
    pools,
    slots,
    workDir: section.work_dir,
    activeJobs: () => strategy.activeJobs,
    bandwidth: () => state.bandwidth(),
    duty: strategy.duty,
  });
  let stopping = false;
  let server: Server | undefined;
  if (options.http === undefined && section.metrics_listen !== undefined) {
    const checks: ReadyCheck[] = [
      natsCheck(bus),
      ...(section.work_dir === undefined ? [] : [folderCheck('work folder', section.work_dir)]),
      ...(section.output_dir === undefined ? [] : [folderCheck('output folder', section.output_dir)]),
      { name: 'duty', why: async () => (stopping ? 'it is being stopped' : whyNoWork(strategy.duty.current)) },
    ];
    server = await startHealthServer(section.metrics_listen, {
      live: () => liveness(name),
      ready: () => readiness(name, checks),
      health: async () => {
        const { checks: found } = await readiness(name, checks);
        const failed = found.filter((check) => check.status === 'failed' && check.name !== 'duty');
        const nats = failed.every((check) => check.name !== 'nats');
        const { uptime_seconds, version } = liveness(name);
        return {
          status: !nats ? 'unhealthy' : failed.length > 0 ? 'degraded' : 'healthy',
          service: name,
          version,
          worker_id: workerId,
          uptime_seconds,
          nats: nats ? 'ok' : 'failed',
          active_jobs: strategy.activeJobs.length,
          disk_space_available_gb: await gigabytesFree(section.work_dir),
          problems: failed.flatMap(({ reason }) => reason ?? []),
        };
      },
    });
  }

  nestLogger.started = true;
  const stop = async (signal: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, 'stopping: nothing new is taken');
    // NATS may be away, a handler deaf, a client's connection open: each of them survives a kill, so it gets no more than this.
    setTimeout(() => {
      logger.warn({ active_jobs: strategy.activeJobs }, 'not everything ended in time: stopped all the same');
      process.exit(0);
    }, graceMs + STOP_LIMIT_MS).unref();
    try {
      await stopBesides?.();
      await app.close();
      // Until here it says that it is not ready.
      server?.close();
      await heartbeat.stop();
      await close();
      await flushTelemetry();
      logger.info('stopped');
    } catch (error) {
      logger.error({ err: error }, 'an error while stopping');
    }
    process.exit(0);
  };
  void bus.connection.closed().then((error) => {
    if (stopping) return;
    logger.error({ err: error }, 'NATS: the connection was closed for good; ending, to be started again');
    process.exit(1);
  });
  process.on('SIGTERM', (signal) => void stop(signal));
  process.on('SIGINT', (signal) => void stop(signal));
  process.on('unhandledRejection', (error) => logger.error({ err: error }, 'an error that nobody handled'));
  logger.info({ version: VERSION, worker_id: workerId }, 'ready');
}
