import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { BATCH, LOOK, RUNNING, STATUS } from '../support/fleet-samples.js';
import { Terminal, type TerminalOptions } from '../support/tmux.js';
import { ended, hyperctl, hyperctlJson, job, json, siteEnv, StandIn, startJob, until } from './site/index.js';

const ENTER = '\u001b[?1049h';
const LEAVE = '\u001b[?1049l';

const open = (options: TerminalOptions = {}): Promise<Terminal> =>
  Terminal.open({ columns: 100, rows: 30, ...options, env: { ...siteEnv(), ...options.env } });

/** hyperctl itself, as the shell's only child. */
async function running(terminal: Terminal): Promise<number> {
  const shell = await terminal.shellPid();
  return Number((await readFile(`/proc/${shell}/task/${shell}/children`, 'utf8')).trim());
}

/** What was there before is there again, and keys are lines again. */
async function expectGivenBack(terminal: Terminal, exitCode: number): Promise<void> {
  const screen = await terminal.waitFor(new RegExp(`^\\[${exitCode}\\] \\$$`, 'm'));
  expect(screen).toContain('$ hyperctl watch');
  expect(screen).not.toContain('Running');
  expect(await terminal.cursorVisible()).toBe(true);
  const bytes = await terminal.bytes();
  expect(bytes.split(ENTER)).toHaveLength(2);
  expect(bytes.lastIndexOf(LEAVE)).toBeGreaterThan(bytes.lastIndexOf('\u001b[?25l'));
  expect(bytes.lastIndexOf('\u001b[?7h')).toBeGreaterThan(bytes.lastIndexOf('\u001b[?7l'));
  await terminal.run('stty -a | tr " ;" "\\n\\n" | grep -cxE "icanon|echo|isig"');
  await terminal.waitFor(/^3$/m);
}

/** A gateway that answers as the samples say, and may be stopped and started again. */
async function standIn(): Promise<StandIn> {
  const gateway = await new StandIn((path, _request, response) => {
    if (path === '/health') return json(response, 200, LOOK.health);
    if (path === '/status') return json(response, 200, STATUS);
    if (path.startsWith('/api/v1/jobs?')) {
      const jobs = path.includes('exporting') ? RUNNING : [];
      return json(response, 200, { jobs, next_cursor: null });
    }
    if (path.startsWith('/api/v1/batches')) return json(response, 200, { batches: [BATCH], next_cursor: null });
    const detail = RUNNING.find((one) => path === `/api/v1/jobs/${one.job_id}`);
    if (detail !== undefined) return json(response, 200, detail);
    const none = { count: 0, failed: 0, mean_seconds: null, p50_seconds: null, p99_seconds: null };
    return json(response, 200, {
      since: '2026-01-17T10:00:00Z',
      jobs: {},
      retries: 0,
      exporter: { ...none, bytes_downloaded: 0, capacity_bytes: 0, bytes_per_second: null },
      converter: { ...none, booted: 0, proof_failed: 0 },
      failures: [],
      days: [],
    });
  }).start();
  onTestFinished(() => gateway.stop());
  return gateway;
}

const percentOf = (screen: string): number => Number(/watch-1-slow .* (\d+)%/.exec(screen)?.[1] ?? 100);
const table = (screen: string): string[] =>
  screen
    .split('\n')
    .slice(4)
    .map((line) => line.replace(/\S+$/, ''));

describe('hyperctl watch', () => {
  it('shows jobs as they move, opens one, cancels it after a question, and leaves', async () => {
    const [broken, , stuck] = await Promise.all([
      startJob('watch-3-broken', '--tags', 'watch-live'),
      startJob('watch-1-slow', '--tags', 'watch-live'),
      startJob('watch-2-stuck', '--tags', 'watch-live'),
    ]);
    const terminal = await open();
    await terminal.run('hyperctl watch --tag watch-live --interval 1');
    await terminal.waitFor(/✓ exporter {2}✓ converter {2}✓ database {2}✓ NATS/);
    const early = await terminal.waitFor(/watch-1-slow +converting/);
    await terminal.waitFor((screen) => percentOf(screen) > percentOf(early));
    expect(await terminal.cursorVisible()).toBe(false);
    await ended(broken);
    await terminal.waitFor(/✗ watch-3-broken .* CONVERSION_STEP dracut failed/);

    await terminal.run('/stuck');
    await terminal.waitFor(/▸ watch-2-stuck/);
    await terminal.keys('Enter');
    await terminal.waitFor(new RegExp(`Job +${stuck}`));
    await terminal.waitFor(/▶ Conversion +in progress/);
    await terminal.keys('c');
    await terminal.waitFor(/Cancel watch-2-stuck .* y\/N/);
    await terminal.keys('n');
    await terminal.waitFor('Nothing was done.');
    expect((await job(stuck)).status).toBe('converting');
    await terminal.keys('c');
    await terminal.waitFor(/y\/N/);
    await terminal.keys('y');
    await terminal.waitFor(`watch-2-stuck (${stuck}) is cancelled.`);
    await terminal.waitFor(/^Status +cancelled/m);
    expect((await job(stuck)).status).toBe('cancelled');

    await terminal.keys('q');
    await terminal.waitFor('Nothing here has "stuck" in it.');
    await terminal.keys('3');
    await terminal.keys('/');
    await terminal.keys(...Array.from('stuck', () => 'BSpace'), 'Enter', 'r');
    await terminal.waitFor(`Try watch-3-broken (${broken}) again? y/N`);
    await terminal.keys('y');
    await until(
      () => job(broken),
      ({ retry_count: tries }) => tries === 1,
    );
    await terminal.resize(40, 10);
    await terminal.waitFor(/^\d Run|\[3 Fail/m);
    await terminal.resize(100, 30);
    await terminal.waitFor(/Completed/);
    await terminal.keys('q');
    await expectGivenBack(terminal, 0);
  });

  it.each([
    ['Ctrl-C', async (terminal: Terminal) => terminal.keys('C-c')],
    ['SIGTERM', async (terminal: Terminal) => process.kill(await running(terminal), 'SIGTERM')],
  ])('gives the terminal back after %s', async (_, end) => {
    const terminal = await open();
    await terminal.run('hyperctl watch');
    await terminal.waitFor(/\[1 Running/);
    await end(terminal);
    await expectGivenBack(terminal, 130);
  });

  it('gives the terminal back when it breaks in the middle', async () => {
    const terminal = await open();
    const module = fileURLToPath(new URL('../../cli/dist/fleet/terminal.js', import.meta.url));
    const broken = path.join(inject('site').folder, 'watch-broken.mjs');
    await writeFile(
      broken,
      `import { FleetTerminal } from '${module}';
       const none = () => {};
       const { stdin: input, stdout: output } = process;
       const terminal = new FleetTerminal({ input, output, onKey: none, onResize: none, onGone: none });
       terminal.open();
       terminal.draw(['drawn']);
       process.stdin.once('data', () => { throw new Error('broken'); });`,
    );
    await terminal.run(`node '${broken}' 2> /dev/null # $ hyperctl watch`);
    await terminal.waitFor(/^drawn$/m);
    await terminal.keys('x');
    await expectGivenBack(terminal, 1);
  });

  it('ends with its window', async () => {
    const terminal = await open();
    await terminal.run('hyperctl watch');
    await terminal.waitFor(/\[1 Running/);
    const pid = await running(terminal);
    await terminal.hangUp();
    await until(
      async () => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'gone'),
      (stat) => stat === 'gone',
    );
  });

  it('waits for a gateway that went away, and goes on with it', async () => {
    const gateway = await standIn();
    const terminal = await open({ columns: 80, rows: 24, env: { HYPER2KVM_URL: gateway.url } });
    await terminal.run('hyperctl watch --interval 1 --no-color');
    const before = await terminal.waitFor(/▸ production-db .* 120 MB\/s/);
    await gateway.stop();
    await terminal.waitFor(/^No answer for \d+s: the connection was refused/m);
    expect(await terminal.screen()).toContain('production-db');
    await gateway.start();
    const after = await terminal.waitFor(/✓ exporter/);
    // The table is as it was, but for the ages.
    expect(table(after)).toEqual(table(before));
    const bytes = await terminal.bytes();
    expect(bytes).not.toContain('\u001b[31m');
    expect(bytes).not.toContain('Warning');
    await terminal.keys('q');
    await terminal.waitFor(/^\[0\] \$$/m);
  });

  it('shows a viewer everything, and in the last line what he may not do', async () => {
    const { securedUrl, adminToken } = inject('site');
    const { token } = await hyperctlJson<{ token: string }>(['token', 'create', 'watch-viewer', '--role', 'viewer'], {
      HYPER2KVM_URL: securedUrl,
      HYPER2KVM_TOKEN: adminToken,
    });
    const stuck = await startJob('watch-4-stuck', '--tags', 'watch-viewer');
    const terminal = await open({ env: { HYPER2KVM_URL: securedUrl, HYPER2KVM_TOKEN: token } });
    await terminal.run('hyperctl watch --tag watch-viewer --interval 1');
    await terminal.waitFor(/▸ watch-4-stuck/);
    await terminal.keys('c');
    await terminal.waitFor(/y\/N/);
    await terminal.keys('y');
    await terminal.waitFor(/This needs the role operator; watch-viewer is viewer\. \(FORBIDDEN\)/);
    await terminal.waitFor(/watch-4-stuck +converting/);
    await hyperctl(['token', 'revoke', 'watch-viewer'], { HYPER2KVM_URL: securedUrl, HYPER2KVM_TOKEN: adminToken });
    await terminal.waitFor(/^\[5\] \$$/m);
    expect(await terminal.screen()).toMatch(/^Error: /m);
    expect((await job(stuck)).status).not.toBe('cancelled');
    await hyperctl(['cancel', '--job', stuck]);
  });

  it('prints one screen, or one document, where there is no terminal', async () => {
    const bare = await hyperctl(['watch']);
    expect(bare).toMatchObject({ exitCode: 2, stdout: '' });
    expect(bare.stderr).toContain('there is no terminal to show a screen on');
    expect(bare.stderr).toMatch(/--once.*hyperctl list.*hyperctl stats/);

    const once = await hyperctl(['watch', '--once']);
    expect(once, once.stderr).toMatchObject({ exitCode: 0, stderr: '' });
    expect(once.stdout).toMatch(/^hyperctl watch {2}http.*\n✓ exporter {2}✓ converter/);
    expect(once.stdout).toContain('[1 Running ');
    expect(once.stdout).not.toContain('\u001b');

    const gateway = await standIn();
    const document = await hyperctlJson<Record<string, unknown>>(['watch'], { HYPER2KVM_URL: gateway.url });
    expect(document).toMatchObject({
      gateway: { url: gateway.url, health: { database: 'ok' } },
      totals: { pending: 734, failed: 14 },
      running: RUNNING.toSorted((a, b) => a.created_at.localeCompare(b.created_at)).map(({ job_id: id, progress }) => ({
        job_id: id,
        progress,
      })),
      waiting: { jobs: [], more: false },
      batches: [BATCH],
      workers: [{ worker_id: 'exporter-1' }, { worker_id: 'converter-1', paused: true }],
    });

    expect((await hyperctl(['watch', '--once', '--url', 'http://127.0.0.1:9'])).exitCode).toBe(3);
    const nobody = await hyperctl(['watch', '--once', '--batch', 'nobody']);
    expect(nobody.exitCode).toBe(4);
    expect(nobody.stderr).toContain('nobody');
    const terminal = await open({ env: { TERM: 'dumb' } });
    await terminal.run('hyperctl watch');
    await terminal.waitFor(/TERM=dumb(.|\n)*^\[2\] \$$/m);
  });
});
