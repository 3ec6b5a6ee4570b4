import { describe, expect, it } from 'vitest';
import { Terminal } from './tmux.js';

describe('Terminal', () => {
  it('shows what a program draws, in its size, with colours and exit codes', async () => {
    const terminal = await Terminal.open({ columns: 40, rows: 10 });
    await terminal.run(String.raw`printf '\033[31mred ✅\033[0m\n'; stty size; sleep 100`);
    const screen = await terminal.waitFor(/^10 40$/m);
    expect(screen).toContain('\nred ✅\n');
    expect(await terminal.everything({ escapes: true })).toContain('\u001b[31mred');
    await terminal.keys('C-c');
    await terminal.waitFor(/^\[130\] \$$/m);
    await terminal.resize(60, 12);
    await terminal.run('clear; stty size; hyperctl --version');
    await terminal.waitFor(/^12 60\n.*hyperctl|^12 60\n.*\/\d+\.\d+/m);
    expect(await terminal.bytes()).toContain('stty size');
    expect(await terminal.cursorVisible()).toBe(true);
  });
});
