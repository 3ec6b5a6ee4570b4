import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hyperctl, siteEnv, startJob } from './site/index.js';

const NOWHERE = { HYPER2KVM_URL: 'http://127.0.0.1:9' };
/** The machine may be busy. */
const PATIENT = { HYPERCTL_COMPLETION_TIMEOUT: '60' };

/** What bash would offer for a line with the cursor at its end. */
async function offers(line: string, env: Record<string, string> = {}): Promise<string[]> {
  const ran = await hyperctl(['complete', 'bash', '--', line], { ...PATIENT, ...env });
  expect(ran, line).toMatchObject({ exitCode: 0, stderr: '' });
  return ran.stdout.split('\n');
}

// What is offered where: cli/test/completion.unit.test.ts.
describe('hyperctl complete', () => {
  it('gives what the gateway knows: jobs with their VMs, newest first', async () => {
    const first = await startJob('complete-1', '--tags', 'complete');
    const second = await startJob('complete-2');
    const ids = await offers('hyperctl logs --job ');
    expect(ids.indexOf(second)).toBeGreaterThan(0);
    expect(ids.indexOf(first)).toBeGreaterThan(ids.indexOf(second));
    expect(await offers('hyperctl status --vm complete-1')).toEqual(['values', 'complete-1']);
    expect(await offers('hyperctl list --tag comp')).toEqual(['values', 'complete']);
    expect(await offers('hyperctl pause ')).toContainEqual(expect.stringContaining('exporter'));
    expect(await offers('hyperctl notify test --to ')).toEqual(
      expect.arrayContaining(['ops@example.com', 'ops', 'cmdb']),
    );
    // What was typed so far decides which gateway is asked.
    const { HYPER2KVM_URL: url = '' } = siteEnv();
    expect(await offers(`hyperctl logs --url ${url} --job ${second}`, NOWHERE)).toEqual(['values', second]);
    // For shells that show them, with a word of what it is.
    const zsh = await hyperctl(['complete', 'zsh', '--', 'logs', '--job', second], PATIENT);
    expect(zsh.stdout).toMatch(new RegExp(`^values\\n${second}\\tcomplete-2, \\w+$`));
  });

  it('is silent where there is nothing to say', async () => {
    expect(await offers('hyperctl logs --job ', NOWHERE)).toEqual(['values']);
    const home = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-complete-'));
    onTestFinished(() => rm(home, { recursive: true }));
    await mkdir(path.join(home, 'hyper2kvm'));
    await writeFile(path.join(home, 'hyper2kvm', 'config.yaml'), '{ broken');
    expect(await offers('hyperctl list --context ', { XDG_CONFIG_HOME: home })).toEqual(['values']);
    expect(await hyperctl(['complete', 'tcsh', '--', 'x'])).toMatchObject({ exitCode: 2, stdout: '', stderr: '' });
  });
});
