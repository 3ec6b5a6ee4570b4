import { describe, expect, it } from 'vitest';
import { JOB_ID } from '../../support/cli-samples.js';
import { expectEverything, expectScreen } from './golden.js';
import { converting } from './converting.js';

describe.each([
  ['80x24', 80],
  ['40x24', 40],
])('hyperctl convert on %s', (size, columns) => {
  it('shows the whole way of a job', async () => {
    const { terminal, player } = await converting('convert', { columns });
    for (const [stop, screen] of [
      ['queued for export', 'start'],
      ['exporting', 'exporting'],
      ['one disk done', 'one-disk-done'],
      ['queue position 2', 'queue-position-2'],
      ['queue position 1', 'queue-position-1'],
      ['inspecting', 'inspecting'],
      ['converting', 'converting'],
      ['cleaning', 'cleaning'],
    ] as const) {
      await player.play(stop);
      await expectScreen(terminal, `${size}-${screen}`);
      expect(await terminal.cursorVisible()).toBe(false);
    }
    await player.play('done');
    await terminal.waitFor(/^\[0\] \$$/m);
    await expectScreen(terminal, `${size}-done`);
    await expectEverything(terminal, `${size}-everything`);
    expect(await terminal.cursorVisible()).toBe(true);
  });
});

describe('hyperctl convert', () => {
  it('shows why a job failed, and what to try', async () => {
    const { terminal, player } = await converting('failed');
    await player.play('failed');
    await terminal.waitFor(/^\[1\] \$$/m);
    await expectEverything(terminal, '80x24-failed');
  });

  it('shows what a job waits for', async () => {
    const { terminal, player } = await converting('window');
    await player.play('waiting');
    await expectScreen(terminal, '80x24-waiting-for-a-window');
    await player.play('open');
    await expectScreen(terminal, '80x24-window-open');
  });

  it('shows that an attempt failed and the next one waits, and begins anew then', async () => {
    const { terminal, player } = await converting('retry');
    await player.play('waiting');
    await expectScreen(terminal, '80x24-retry-waits');
    await player.play('again');
    await expectScreen(terminal, '80x24-retry');
  });

  it('shows that the gateway is away while the job goes on, and goes on with it', async () => {
    const { terminal, player } = await converting('convert');
    await player.play('exporting');
    await terminal.waitFor('Total: 37%');
    const gateway = await player.goAway();
    await expectScreen(terminal, '80x24-gateway-away');
    await gateway.back();
    await terminal.waitFor('The gateway is back');
    await player.play('one disk done');
    await expectScreen(terminal, '80x24-gateway-back');
  });

  it('gives the prompt back at Ctrl-C, says how to follow and how to cancel, and leaves the job alone', async () => {
    const { terminal, player } = await converting('convert');
    await player.play('exporting');
    await terminal.waitFor('Total: 37%');
    await terminal.keys('C-c');
    await terminal.waitFor(/^\[130\] \$$/m);
    await expectScreen(terminal, '80x24-left-by-ctrl-c');
    expect(await terminal.cursorVisible()).toBe(true);
    expect(player.calls.filter((call) => !call.includes('health'))).toEqual([
      'POST /api/v1/convert',
      `GET /api/v1/jobs/${JOB_ID}/events`,
    ]);
    // The next command does what it said.
    await terminal.run(`clear; hyperctl status --job ${JOB_ID} --follow`);
    await terminal.waitFor('Following');
    await player.play('one disk done');
    await terminal.waitFor('Total: 75%');
    await expectScreen(terminal, '80x24-followed-again');
  });

  it('draws as wide as the terminal is after a resize, without debris', async () => {
    const { terminal, player } = await converting('convert');
    await player.play('exporting');
    await terminal.waitFor('Total: 37%');
    await terminal.resize(40, 24);
    await expectScreen(terminal, 'resized-40');
    await terminal.resize(100, 30);
    await expectScreen(terminal, 'resized-100');
    await player.play('one disk done');
    await expectScreen(terminal, 'resized-100-on');
  });
});
