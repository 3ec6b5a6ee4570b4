import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { job } from '../support/cli-samples.js';
import { Terminal } from '../support/tmux.js';
import { hyperctl, json, siteEnv, StandIn, startJob } from './site/index.js';

/** The machine may be busy. */
const PATIENT = { HYPERCTL_COMPLETION_TIMEOUT: '60' };
const SHELLS = ['bash', 'zsh', 'fish'];

describe('hyperctl autocomplete', () => {
  it('prints a script for each shell, and says how to keep it', async () => {
    for (const shell of SHELLS) {
      const ran = await hyperctl(['autocomplete', shell]);
      expect(ran, shell).toMatchObject({ exitCode: 0, stderr: '' });
      expect(ran.stdout).toContain(` complete ${shell} -- `);
      // Where the shell is installed, it finds no fault with it.
      const checked = await execa(shell, ['-n'], { input: ran.stdout, reject: false });
      if (checked.code !== 'ENOENT') expect(checked.stderr, shell).toBe('');
    }
    const none = await hyperctl(['autocomplete'], { SHELL: '/usr/bin/fish' });
    expect(none).toMatchObject({ exitCode: 2, stdout: '' });
    expect(none.stderr).toContain('hyperctl autocomplete fish > ~/.config/fish/completions/hyperctl.fish');
    const wrong = await hyperctl(['autocomplete', 'bsh']);
    expect(wrong).toMatchObject({ exitCode: 2, stdout: '' });
    expect(wrong.stderr).toContain('bash');
  });

  it('completes in a real bash: commands, values, job ids, files', async () => {
    const id = await startJob('autocomplete-1');
    const terminal = await Terminal.open({ env: { ...siteEnv(), ...PATIENT }, columns: 200 });
    // Twice is not an error.
    await terminal.run('source <(hyperctl autocomplete bash) && source <(hyperctl autocomplete bash) && clear');
    await terminal.waitFor(/^\[0\] \$$/);
    const typed = (text: string): Promise<void> => terminal.keys(text, 'Tab');

    await typed('hyperctl batc');
    await terminal.waitFor('hyperctl batches');
    await terminal.keys('C-u');
    await typed('hyperctl list --status=conv');
    await terminal.waitFor('hyperctl list --status=converting');
    await terminal.keys('C-u');
    await typed(`hyperctl cancel --job ${id.slice(0, -3)}`);
    await terminal.waitFor(`hyperctl cancel --job ${id}`);
    await terminal.keys('C-u');
    await terminal.run("touch 'night one.txt' && clear");
    await terminal.waitFor(/^\[0\] \$$/);
    await typed('hyperctl convert --batch nig');
    await terminal.waitFor(/--batch night\\ one\.txt/);
    await terminal.keys('C-u');
    // All that fit are shown.
    await typed('hyperctl daemon st');
    await terminal.keys('Tab');
    await terminal.waitFor(/start .*status .*stop/);
  });

  it('runs nothing that a name says', async () => {
    const gateway = await new StandIn((url, _, response) =>
      json(
        response,
        200,
        url.includes('jobs') ? { jobs: [job({ vm_name: 'db $(touch owned)' })], next_cursor: null } : {},
      ),
    ).start();
    onTestFinished(() => gateway.stop());
    const terminal = await Terminal.open({ env: { HYPER2KVM_URL: gateway.url, ...PATIENT }, columns: 120 });
    await terminal.run('source <(hyperctl autocomplete bash) && clear');
    await terminal.waitFor(/^\[0\] \$$/);
    await terminal.keys('hyperctl status --vm db', 'Tab');
    // Quoted as it would have to be typed.
    await terminal.waitFor('--vm db\\ \\$\\(touch\\ owned\\)');
    await terminal.keys('Enter');
    await terminal.waitFor(/^\[[1-9]\] \$/m);
    await terminal.run('clear; ls');
    const screen = await terminal.waitFor(/^bytes .*\n\[0\]/m);
    expect(screen).not.toContain('owned');
  });
});
