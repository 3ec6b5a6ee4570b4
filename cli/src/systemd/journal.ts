import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { CliError } from '../lib/errors.js';
import { parseLine, type LogLine, type LogQuery } from '../daemon/logs/line.js';
import type { ServiceName } from '../daemon/names.js';
import { unitOf } from './units.js';

/** https://systemd.io/JOURNAL_EXPORT_FORMATS: a message that is no text is a list of bytes. */
const Entry = z.object({
  MESSAGE: z.union([z.string(), z.array(z.number()), z.null()]).optional(),
  __REALTIME_TIMESTAMP: z.string(),
  _SYSTEMD_UNIT: z.string().optional(),
  UNIT: z.string().optional(),
});

/** The journal of units, in its own order. @throws CliError */
export async function* journal(services: readonly ServiceName[], query: LogQuery): AsyncGenerator<LogLine> {
  const { tail, since, follow, signal } = query;
  const args = [
    '--no-pager',
    '--output=json',
    '--all',
    `--lines=${tail}`,
    ...(since === undefined ? [] : [`--since=@${Math.floor(since.getTime() / 1000)}`]),
    ...(follow ? ['--follow'] : []),
    ...services.map((service) => `--unit=${unitOf(service)}`),
  ];
  const child = spawn('journalctl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ended = new Promise<number>((resolve) => {
    child.once('error', (error) => {
      said = error.message;
      resolve(127);
    });
    child.once('close', (code) => resolve(code ?? 0));
  });
  try {
    for await (const text of createInterface({ input: child.stdout })) {
      const line = lineOf(text);
      if (line !== undefined) yield line;
    }
    if ((await ended) !== 0 && !signal.aborted)
      throw new CliError('the journal cannot be read', {
        why: said.trim().split('\n')[0],
        advice: `sudo hyperctl daemon logs ${services.join(' ')}`,
      });
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}

function lineOf(text: string): LogLine | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const entry = Entry.safeParse(parsed);
  if (!entry.success) return undefined;
  const { MESSAGE: message, UNIT: about, _SYSTEMD_UNIT: from, __REALTIME_TIMESTAMP: micros } = entry.data;
  const raw = Array.isArray(message) ? Buffer.from(message).toString('utf8') : (message ?? '');
  // What systemd itself says of a unit ("Started …") bears it in another field.
  const service = (about ?? from ?? '').replace(/^hyper2kvm-(\w+)\.service$/, '$1');
  const line = parseLine(service, raw);
  return { ...line, time: line.time ?? new Date(Number(micros) / 1000), level: line.level || 'info' };
}
