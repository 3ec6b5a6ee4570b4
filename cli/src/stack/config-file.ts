import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isMap, parse, parseDocument, type Document } from 'yaml';
import { UsageError } from '../lib/errors.js';
import type { StackPaths } from './home.js';
import { freePort, isFree, nextFreePort } from './ports.js';

export const DEFAULT_GATEWAY_PORT = 8080;
const DATABASE_USER = 'hyper2kvm';
const BUS_USER = 'hyper2kvm';
const DATABASE_NAME = 'hyper2kvm';
const KEY_BYTES = 32;
/** Services without an API of their own: they answer /health and /metrics on a port of theirs. */
const WORKERS = ['exporter', 'converter', 'notifier'] as const;

/** What the supervisor itself needs of the configuration. */
export interface StackConfig {
  readonly gateway: { readonly port: number };
  /** Ports of /health and /metrics, by service. */
  readonly workers: Readonly<Record<string, number>>;
  readonly nats: { readonly port: number; readonly user: string; readonly password: string };
  readonly database: { readonly port: number; readonly user: string; readonly password: string; readonly name: string };
  /** Seconds that the slowest service may take to hand its work back. */
  readonly graceSeconds: number;
}

export interface ConfigRequest {
  /** For the gateway; undefined keeps the configured one. */
  readonly port?: number | undefined;
  /** `key.path=value`, values read as YAML; `key.path=` removes the key. */
  readonly set: readonly string[];
}

/** Makes what is missing of key and configuration, moves ports that somebody else has taken, and writes both down (0600). */
export async function prepareConfig(paths: StackPaths, request: ConfigRequest): Promise<StackConfig> {
  if (!existsSync(paths.keyFile)) {
    writeFileSync(paths.keyFile, `${randomBytes(KEY_BYTES).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
  }
  const document = existsSync(paths.config) ? read(paths.config) : parseDocument('{}\n');
  for (const assignment of request.set) assign(document, assignment);
  const fill = (keys: string[], value: () => unknown): void => {
    if (document.getIn(keys) === undefined) document.setIn(keys, value());
  };
  fill(['secrets', 'key_file'], () => paths.keyFile);
  fill(['nats', 'user'], () => BUS_USER);
  fill(['nats', 'password'], secret);
  fill(['gateway', 'database', 'host'], () => '127.0.0.1');
  fill(['gateway', 'database', 'user'], () => DATABASE_USER);
  fill(['gateway', 'database', 'password'], secret);
  fill(['gateway', 'database', 'name'], () => DATABASE_NAME);
  fill(['exporter', 'work_dir'], () => path.join(paths.work, 'export'));
  fill(['exporter', 'allowed_roots'], () => document.createNode([paths.imports]));
  fill(['converter', 'work_dir'], () => path.join(paths.work, 'conversion'));
  fill(['converter', 'output_dir'], () => paths.output);
  fill(['notifier', 'webhook', 'secret'], secret);
  const config = await withPorts(document, request);
  save(paths.config, document);
  return config;
}

async function withPorts(document: Document, request: ConfigRequest): Promise<StackConfig> {
  const text = (keys: string[]): string => {
    const value = document.getIn(keys);
    if (typeof value === 'string' && value !== '') return value;
    throw new UsageError(`the local stack's configuration: ${keys.join('.')} is no text`);
  };
  const nats = await keptPort(portOf(document.getIn(['nats', 'servers', 0])));
  document.setIn(['nats', 'servers'], document.createNode([`127.0.0.1:${nats}`]));
  const workers: Record<string, number> = {};
  for (const name of WORKERS) {
    const port = await keptPort(portOf(document.getIn([name, 'metrics_listen'])));
    document.setIn([name, 'metrics_listen'], `127.0.0.1:${port}`);
    workers[name] = port;
  }
  const database = await keptPort(Number(document.getIn(['gateway', 'database', 'port'])));
  document.setIn(['gateway', 'database', 'port'], database);
  const listen = document.getIn(['gateway', 'listen']);
  const gateway = await gatewayPort(request.port, portOf(listen));
  const host = typeof listen === 'string' ? listen.slice(0, listen.lastIndexOf(':')) : '127.0.0.1';
  document.setIn(['gateway', 'listen'], `${host}:${gateway}`);
  const graces = ['gateway', ...WORKERS].map((section) =>
    Number(document.getIn([section, 'shutdown_grace_seconds']) ?? 0),
  );
  return {
    gateway: { port: gateway },
    workers,
    nats: { port: nats, user: text(['nats', 'user']), password: text(['nats', 'password']) },
    database: {
      port: database,
      user: text(['gateway', 'database', 'user']),
      password: text(['gateway', 'database', 'password']),
      name: text(['gateway', 'database', 'name']),
    },
    graceSeconds: Math.max(0, ...graces.filter(Number.isFinite)),
  };
}

const secret = (): string => randomBytes(24).toString('base64url');
const portOf = (address: unknown): number | undefined =>
  typeof address === 'string' ? Number(address.slice(address.lastIndexOf(':') + 1)) : undefined;

/** The port of last time, unless somebody else has taken it meanwhile. */
async function keptPort(kept: number | undefined): Promise<number> {
  return kept !== undefined && kept > 0 && (await isFree(kept)) ? kept : freePort();
}

async function gatewayPort(asked: number | undefined, kept: number | undefined): Promise<number> {
  if (asked === undefined) return nextFreePort(kept ?? DEFAULT_GATEWAY_PORT);
  if (await isFree(asked)) return asked;
  throw new UsageError(
    `port ${asked} is taken by another program`,
    'choose another --port, or leave it out: a free one is found',
  );
}

function read(file: string): ReturnType<typeof parseDocument> {
  const document = parseDocument(readFileSync(file, 'utf8'));
  const [problem] = document.errors;
  if (problem !== undefined) throw new UsageError(`${file} is not valid YAML: ${problem.message.split('\n')[0]}`);
  if (document.contents !== null && !isMap(document.contents)) throw new UsageError(`${file}: it is not a mapping`);
  return document;
}

function assign(document: Document, assignment: string): void {
  const equals = assignment.indexOf('=');
  const keys = assignment.slice(0, Math.max(0, equals)).split('.');
  if (equals < 1 || keys.some((key) => !/^\w+$/.test(key)))
    throw new UsageError(`--set ${assignment}: expected key.path=value, for example notifier.smtp.port=2525`);
  const value: unknown = parse(assignment.slice(equals + 1));
  if (value === null) document.deleteIn(keys);
  else document.setIn(keys, document.createNode(value));
}

function save(file: string, document: Document): void {
  document.commentBefore ??=
    ' Of the local stack. Written by hyperctl daemon start; your changes are kept, ports may be moved.';
  const aside = `${file}.${process.pid}`;
  writeFileSync(aside, document.toString(), { mode: 0o600 });
  renameSync(aside, file);
}
