import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { expectNoProcesses } from '../../support/processes.js';
import { converting } from './converting.js';
import { expectEverything, expectScreen } from './golden.js';

// oxlint-disable-next-line no-control-regex -- what is looked for
const COLOUR = /\u001b\[[0-9;]*m/;

describe('hyperctl convert on a terminal', () => {
  it('draws nothing while nothing changes, and afterwards the lines that changed', async () => {
    const { terminal, player } = await converting('convert');
    await player.play('exporting');
    await terminal.waitFor('Total: 37%');
    const before = await terminal.bytes();
    await sleep(1_000);
    expect(await terminal.bytes()).toBe(before);
    await player.play('one disk done');
    await terminal.waitFor('Total: 75%');
    const drawn = (await terminal.bytes()).slice(before.length);
    expect(drawn.split('\u001b[J')).toHaveLength(2);
  });

  it('shows as many disks as fit a low one, and what the others do', async () => {
    const { terminal, player } = await converting('twelve-disks', { rows: 10 });
    await player.play('exporting');
    await expectScreen(terminal, '80x10-twelve-disks');
    await terminal.resize(80, 24);
    await expectScreen(terminal, '80x24-twelve-disks');
  });

  it.each([
    ['LANG=C', { LC_ALL: '', LANG: 'C' }],
    ['the console of Linux', { TERM: 'linux' }],
  ])('draws in ASCII alone where there is nothing else: %s', async (_name, env) => {
    const { terminal, player } = await converting('convert', { env });
    await player.play('exporting');
    await expectScreen(terminal, '80x24-ascii-exporting');
    await player.play('converting');
    await expectScreen(terminal, '80x24-ascii-converting');
    await player.play('done');
    await terminal.waitFor(/^\[0\] \$$/m);
    await expectEverything(terminal, '80x24-ascii-everything');
    // oxlint-disable-next-line no-control-regex -- all of ASCII
    expect(await terminal.bytes()).toMatch(/^[\u0000-\u007f]*$/);
  });

  it('writes plain lines where the cursor cannot be moved', async () => {
    const { terminal, player } = await converting('convert', { env: { TERM: 'dumb' } });
    await player.play('done');
    const screen = await terminal.waitFor(/^\[0\] \$$/m);
    expect(screen).toContain('View logs');
    expect(await terminal.everything()).toMatch(/^\d{4}-\d\d-\d\dT[\d:]+Z Disk 1\/2 downloaded: production-db\.vmdk/m);
    expect(await terminal.bytes()).not.toContain('\u001b[');
  });

  it.each([
    ['NO_COLOR', { NO_COLOR: '1' }, ''],
    ['--no-color', {}, ' --no-color'],
  ])('has no colours with %s', async (_name, env, flags) => {
    const { terminal, player } = await converting('convert', { env }, flags);
    await player.play('done');
    await terminal.waitFor(/^\[0\] \$$/m);
    expect(await terminal.bytes()).not.toMatch(COLOUR);
  });

  it('has colours otherwise', async () => {
    const { terminal, player } = await converting('convert');
    await player.play('exporting');
    await terminal.waitFor('Total: 37%');
    expect(await terminal.everything({ escapes: true })).toContain('\u001b[32m█');
  });

  it('ends at once when Ctrl-C is pressed twice', async () => {
    const { terminal, player } = await converting('convert');
    await player.play('exporting');
    await terminal.waitFor('Total: 37%');
    await terminal.keys('C-c', 'C-c');
    await terminal.waitFor(/^\[130\] \$$/m);
    expect(await terminal.cursorVisible()).toBe(true);
  });

  it('leaves no process behind when the terminal is closed', async () => {
    const marker = `terminal-closed-${process.pid}`;
    const { terminal, player } = await converting('convert', { env: { MARKER: marker } });
    await player.play('exporting');
    await terminal.waitFor('Total: 37%');
    await terminal.hangUp();
    await expectNoProcesses(marker);
  });
});
