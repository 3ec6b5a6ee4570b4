import { createLogger } from '../src/index.js';
import { redact } from '../src/telemetry/redact.js';
import { describe, expect, it } from 'vitest';

/** What a logger prints. */
function printed(log: (logger: ReturnType<typeof createLogger>) => void): string {
  const lines: string[] = [];
  log(createLogger('test', 'debug', { write: (line) => void lines.push(line) }));
  return lines.join('');
}

describe('the log', () => {
  it('never shows a secret, however deep it lies', () => {
    const deep = { a: { b: { c: { password: 'hunter2', list: [{ luks_keys_sealed: ['hunter2'] }] } } } };
    const text = printed((logger) => {
      logger.info({ deep, token: 'hunter2', headers: { Authorization: 'Bearer hunter2' } }, 'x');
      logger.info({ secrets: { key: 'hunter2' } }, 'y');
      logger.warn({ server: 'nats://user:hunter2@host:4222' }, 'z');
    });
    expect(text).not.toContain('hunter2');
    expect(text).toContain('[redacted]');
  });

  it('never shows those of an error, which often carries the request that failed', () => {
    const error = Object.assign(new Error('401 from https://u:hunter2@host/'), {
      config: { auth: { username: 'u', password: 'hunter2' }, headers: { authorization: 'hunter2' } },
      cause: new Error('inner https://u:hunter2@host/'),
    });
    const text = printed((logger) => {
      logger.error({ err: error }, 'failed');
      logger.error({ failures: [{ reason: error }] }, 'failed');
      logger.error(error);
    });
    expect(text).not.toContain('hunter2');
    expect(JSON.parse(text.split('\n')[0] ?? '')).toMatchObject({
      err: { type: 'Error', config: { auth: { username: 'u' } } },
    });
  });

  it('keeps what is no secret, and survives circles', () => {
    const circle: Record<string, unknown> = { job_id: 'job-abcdef', disk_key: 2000, monkey: 1 };
    circle['self'] = circle;
    expect(redact(circle)).toMatchObject({ job_id: 'job-abcdef', monkey: 1, self: '[circular]' });
    const time = new Date();
    expect(redact({ time, none: null, size: 5n })).toEqual({ time, none: null, size: 5n });
  });
});
