import { existsSync, statSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { probeNats } from '@hyper2kvm/runtime/probes';
import { durationWord } from '@hyper2kvm/contracts';
import { configPath } from '../../lib/config/index.js';
import { CliError } from '../../lib/errors.js';
import { plural, sizeWord } from '../../lib/format.js';
import { keysToSet } from '../../lib/notify/keys.js';
import { connectionWords } from '../../lib/unreachable.js';
import { failed, ok, skipped, warning, type Check, type Outcome } from '../check.js';
import type { Machine } from '../machine.js';

const TIMEOUT_MS = 5_000;
const START = 'hyperctl daemon start --all';
/** Streams with the message TTL and the subject filters that the services use exist from here on. */
const LEAST_NATS = [2, 9] as const;
const LEAST_POSTGRES = 13;
/** Two gateways, migrations and an administrator beside them. */
const SPARE_CONNECTIONS = 10;

const configuration: Check = {
  id: 'config',
  group: 'services',
  title: 'Configuration',
  run: async ({ configFile, configProblem, role, config, isRoot }) => {
    if (configFile === undefined)
      return role === 'client'
        ? skipped('this machine only talks to a gateway')
        : warning('there is none yet', 'it is made when the local stack starts for the first time', [START]);
    if (configProblem !== undefined)
      return failed(configFile, configProblem, [`edit ${configFile}; docs/configuration.md has every key`]);
    // Passwords may be in it.
    const others = (statSync(configFile).mode & 0o007) !== 0;
    const holdsSecret = [config.nats.password, config.secrets.key, config.gateway.database.password].some(Boolean);
    if (others && holdsSecret)
      return failed(configFile, 'it holds a password, and every user of this machine can read it', [
        `${isRoot ? '' : 'sudo '}chmod 640 ${configFile}`,
      ]);
    return ok(configFile);
  },
};

const settings: Check = {
  id: 'settings',
  group: 'services',
  title: "hyperctl's settings",
  run: async ({ settingsProblem: problem }) => {
    const file = configPath();
    if (problem !== undefined)
      return failed(file, problem.message, problem.advice === undefined ? [] : [problem.advice]);
    return existsSync(file) ? ok(file) : skipped(`no ${file}: defaults`);
  },
};

/** Why nobody answered, in the words of a user. */
function words(error: unknown): string {
  const { code } = error as { code?: string };
  // Of the nats client.
  if (code === 'CONNECTION_REFUSED') return 'the connection was refused: nothing listens there';
  if (code === 'AUTHORIZATION_VIOLATION') return 'user, password or token are refused';
  return connectionWords(error);
}

const stopped = ({ stack }: Machine): Outcome | undefined =>
  stack !== undefined && !stack.running ? skipped('the local stack is not running') : undefined;

const nats: Check = {
  id: 'nats',
  group: 'services',
  title: 'NATS',
  run: async (machine) => {
    const idle = stopped(machine);
    if (idle !== undefined) return idle;
    const { config, configFile } = machine;
    const where = config.nats.servers.map((server) => server.replace(/^(\w+:\/\/)?.*@/, '$1')).join(', ');
    if (configFile === undefined) return skipped('nothing is configured yet');
    let report;
    try {
      report = await probeNats(config.nats, TIMEOUT_MS);
    } catch (error) {
      return failed(where, `it cannot be reached: ${words(error)}`, [
        machine.stack === undefined ? 'sudo systemctl start nats-server' : `hyperctl daemon logs nats`,
        `or name another one: nats.servers in ${configFile}`,
      ]);
    }
    const found = `${report.version} at ${report.server}`;
    const [major = 0, minor = 0] = report.version.split('.').map(Number);
    if (major < LEAST_NATS[0] || (major === LEAST_NATS[0] && minor < LEAST_NATS[1]))
      return failed(found, `${LEAST_NATS.join('.')} or newer is needed`, [
        'https://github.com/nats-io/nats-server/releases',
      ]);
    if (report.jetstreamProblem !== undefined)
      return failed(found, `JetStream cannot be used: ${report.jetstreamProblem}`, [
        'add to its configuration: jetstream { store_dir: /var/lib/nats }',
        'sudo systemctl restart nats-server',
      ]);
    const { storageBytes, storageLimitBytes: limit } = report;
    const used = `JetStream ${sizeWord(storageBytes)}${limit === undefined ? '' : ` of ${sizeWord(limit)}`}, ${plural(report.streams, 'stream')}`;
    if (limit !== undefined && storageBytes > 0.8 * limit)
      return warning(`${found}, ${used}`, 'what cannot be stored is refused: jobs stop', [
        'raise jetstream { max_file_store } in its configuration',
      ]);
    return ok(`${found}, ${used}`);
  },
};

const postgres: Check = {
  id: 'postgres',
  group: 'services',
  title: 'PostgreSQL',
  run: async (machine) => {
    const idle = stopped(machine);
    if (idle !== undefined) return idle;
    const { database } = machine.config.gateway;
    if (machine.configFile === undefined) return skipped('nothing is configured yet');
    const { Client } = (await import('pg')).default;
    const { url, host, port, user, password, name } = database;
    const client = new Client({
      ...(url === undefined
        ? { host, port, user, password: password ?? '', database: name }
        : { connectionString: url }),
      connectionTimeoutMillis: TIMEOUT_MS,
      query_timeout: TIMEOUT_MS,
      application_name: 'hyperctl-doctor',
    });
    client.on('error', () => {});
    const where = `${client.host}:${client.port}`;
    try {
      await client.connect();
      const { rows } = await client.query<{
        version: string;
        most: string;
        used: string;
        creates: boolean;
        size: string;
      }>(
        `SELECT current_setting('server_version') AS version, current_setting('max_connections') AS most,
           (SELECT count(*) FROM pg_stat_activity) AS used, has_schema_privilege(current_schema(), 'CREATE') AS creates,
           pg_database_size(current_database()) AS size`,
      );
      const [row] = rows;
      if (row === undefined) return failed(where, 'it answered nothing');
      const found = `${row.version} at ${where}, ${sizeWord(Number(row.size))}`;
      if (Number.parseInt(row.version, 10) < LEAST_POSTGRES)
        return failed(found, `${LEAST_POSTGRES} or newer is needed`);
      if (!row.creates)
        return failed(found, `${client.user} may not make tables`, [
          `sudo -u postgres psql -c 'ALTER DATABASE ${client.database} OWNER TO ${client.user}'`,
        ]);
      const free = Number(row.most) - Number(row.used);
      if (Number(row.most) < database.pool_size + SPARE_CONNECTIONS || free < SPARE_CONNECTIONS / 2)
        return warning(
          found,
          `${free} of ${row.most} connections are free; each gateway takes up to ${database.pool_size}`,
          ["sudo -u postgres psql -c 'ALTER SYSTEM SET max_connections = 200'", 'sudo systemctl restart postgresql'],
        );
      return ok(found);
    } catch (error) {
      return failed(where, `it cannot be used: ${words(error)}`, [
        machine.stack === undefined ? 'sudo systemctl start postgresql' : 'hyperctl daemon logs postgres',
        `or name another one: gateway.database in ${machine.configFile}`,
      ]);
    } finally {
      await client.end().catch(() => {});
    }
  },
};

const gateway: Check = {
  id: 'gateway',
  group: 'services',
  title: 'Gateway',
  run: async (machine) => {
    const { client } = machine;
    try {
      const health = await client.health();
      const status = await client.status();
      const found = `${status.version} at ${client.url}, up ${durationWord(health.uptime_seconds)}`;
      const bad = (['database', 'nats'] as const).filter((part) => health[part] !== 'ok');
      if (bad.length > 0) return failed(found, `it has lost ${bad.join(' and ')}`, ['hyperctl daemon status']);
      return ok(found);
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      // A machine of its own is looked at part by part: that nothing runs yet is no fault.
      if (machine.stack?.running === false || (machine.configFile === undefined && machine.role === 'services'))
        return skipped('it is not running');
      return failed(client.url, `${error.message}${error.why === undefined ? '' : `: ${error.why}`}`, adviceOf(error));
    }
  },
};

const adviceOf = ({ advice }: CliError): string[] => (advice === undefined ? [] : [advice]);

const workers: Check = {
  id: 'workers',
  group: 'services',
  title: 'Exporter and converter',
  run: async ({ client }) => {
    let status;
    try {
      status = await client.status();
    } catch {
      return skipped('the gateway does not say');
    }
    const missing = ['exporter', 'converter'].filter((name) => !status.workers.some(({ service }) => service === name));
    const count = (name: string): string =>
      plural(status.workers.filter(({ service }) => service === name).length, name);
    const found = `${count('exporter')}, ${count('converter')}`;
    if (missing.length > 0)
      return failed(found, `no ${missing.join(' and no ')} is running: jobs wait`, [
        `hyperctl daemon start ${missing.join(' ')}`,
      ]);
    const paused = status.workers.filter((worker) => worker.paused);
    if (paused.length > 0)
      return warning(found, `${paused.map(({ worker_id: id }) => id).join(', ')} take nothing new`, [
        `hyperctl resume ${paused.map(({ worker_id: id }) => id).join(' ')}`,
      ]);
    return ok(found);
  },
};

const smtp: Check = {
  id: 'smtp',
  group: 'services',
  title: 'Mail server',
  run: async ({ config, role }, signal) => {
    const { host, port, secure, user } = config.notifier.smtp;
    if (host === undefined)
      return skipped(role === 'client' ? 'this machine sends none' : 'none is configured: --notify sends nothing', [
        'hyperctl daemon stop --all',
        'hyperctl daemon start --all --set notifier.smtp.host=mail.example.com',
      ]);
    const at = port ?? (secure === true ? 465 : user === undefined ? 25 : 587);
    const why = await greets(host, at, secure === true, signal);
    if (why === undefined) return ok(`${host}:${at}`);
    return failed(`${host}:${at}`, `it cannot be reached: ${why}`, [
      'set notifier.smtp.host and .port in the configuration',
    ]);
  },
};

const notifications: Check = {
  id: 'notifications',
  group: 'services',
  title: 'Notifications',
  run: async ({ client }) => {
    try {
      const { channels } = await client.notifications.status();
      const there = channels.filter(({ configured }) => configured);
      if (there.length === 0)
        return skipped('a notifier runs; no channel is configured, so nobody is told', [keysToSet()]);
      const words = there.map(({ channel, targets }) => `${channel} (${plural(targets.length, 'target')})`);
      return ok(words.join(', '));
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      if (error.code !== 'NO_WORKER') return skipped('the gateway does not say');
      return skipped('no notifier is running: nobody is told of the end of jobs', ['hyperctl daemon start notifier']);
    }
  },
};

/** A mail server speaks first (RFC 5321); one behind TLS only after that. Undefined when it is there. */
const greets = (host: string, port: number, secure: boolean, signal: AbortSignal): Promise<string | undefined> =>
  new Promise((resolve) => {
    const socket = connectTcp({ host, port, signal });
    const end = (why?: string): void => {
      socket.destroy();
      resolve(why);
    };
    socket.setTimeout(TIMEOUT_MS, () => end('no answer'));
    socket.on('error', (error) => end(words(error)));
    socket.on('connect', () => {
      if (secure) end();
    });
    socket.on('data', (data: Buffer) => end(data.toString().startsWith('220') ? undefined : 'it is no mail server'));
    socket.on('end', () => end('it closed the connection'));
  });

export const SERVICE_CHECKS: readonly Check[] = [
  settings,
  configuration,
  gateway,
  workers,
  nats,
  postgres,
  smtp,
  notifications,
];
