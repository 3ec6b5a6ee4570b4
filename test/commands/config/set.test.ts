import type { Options } from 'execa';
import { describe, expect, it } from 'vitest';
import { Home } from './home.js';

describe('hyperctl config set', () => {
  it('makes the file for its owner alone, and changes one value of it', async () => {
    const home = await Home.with();
    expect(await home.run(['config', 'set', 'vsphere.server', 'vc.example.com'])).toEqual({
      exitCode: 0,
      stdout: `Set vsphere.server to vc.example.com in ${home.file}`,
      stderr: '',
    });
    expect([await home.text(), await home.mode()]).toEqual(['vsphere:\n  server: vc.example.com\n', '600']);
    await home.write('# mine\nvsphere: # the old one\n  server: "vc"   # to be renewed\n\nui: {color: true}\n');
    await home.run(['config', 'set', 'vsphere.server', 'vc2']);
    await home.run(['config', 'set', 'ui.log_level', 'warn', '--quiet']);
    expect(await home.text()).toBe(
      '# mine\nvsphere: # the old one\n  server: "vc2"   # to be renewed\n\nui: {color: true, log_level: warn}\n',
    );
  });

  it.each([
    [['ui.color', 'maybe'], 'ui.color: "maybe" is not possible: it has to be true or false'],
    [['daemons.go.url', 'http://ann:geheim@gw'], "the gateway's address holds a login"],
    [['token', 'geh eim'], 'token: this value is not possible'],
    [['url', 'http://gw'], 'there is no key url; did you mean "daemons.go.url"?'],
    [['current_context', 'prod'], 'there is no context prod in'],
    [['vsphere.server'], 'which value is vsphere.server to have?'],
  ])('refuses %j', async (words, message) => {
    const home = await Home.with();
    const ran = await home.run(['config', 'set', ...words]);
    expect(ran).toMatchObject({ exitCode: 2, stdout: '' });
    expect(ran.stderr).toContain(message);
    expect(ran.stderr).not.toMatch(/geh ?eim/);
    expect(await home.text()).toBeUndefined();
  });

  it('writes into a context, and a token from standard input where nobody else may read it', async () => {
    const home = await Home.with('vsphere: { server: vc }\n');
    const first = await home.run(['config', 'set', '--context', 'prod', 'daemons.go.url', 'https://gw.example.com']);
    expect(first.stderr).toBe('Note: context prod is new; use it: --context prod');
    expect(await home.mode()).toBe('644');
    const piped = { input: 'geheim\n', stdin: undefined } as unknown as Options;
    const token = await home.run(['config', 'set', '--context', 'prod', 'token', '-'], {}, piped);
    expect(token).toEqual({ exitCode: 0, stdout: `Set token in context prod of ${home.file}`, stderr: '' });
    expect(await home.mode()).toBe('600');
    expect(await home.text()).toContain('    token: geheim\n');
    const mistyped = await home.run(['config', 'set', '--context', 'prd', 'ui.color', 'no', '--json']);
    expect(JSON.parse(mistyped.stdout)).toEqual({ file: home.file, context: 'prd', key: 'ui.color', value: false });
  });

  it('says when something else counts before what was written, and keeps a file that is no YAML', async () => {
    const home = await Home.with();
    const ran = await home.run(['config', 'set', 'vsphere.server', 'vc'], { VSPHERE_SERVER: 'other' });
    expect(ran.stderr).toBe('Note: env VSPHERE_SERVER says vsphere.server too, and counts before it');
    await home.write('vsphere: {\n');
    const broken = await home.run(['config', 'set', 'vsphere.server', 'vc']);
    expect(broken).toMatchObject({ exitCode: 2, stdout: '' });
    expect(broken.stderr).toMatch(
      /^Error: .*config\.yaml:\d+:\d+: not valid YAML: .*\n {2}try: {3}mend it with an editor/,
    );
    expect(await home.text()).toBe('vsphere: {\n');
  });

  it('mends a value that is not possible', async () => {
    const home = await Home.with('ui: { color: maybe }\n');
    expect((await home.run(['config', 'view'])).stderr).toContain(
      `Error: ${home.file}:1:14: ui.color: it has to be true or false`,
    );
    expect((await home.run(['config', 'set', 'ui.color', 'false'])).exitCode).toBe(0);
    expect((await home.run(['config', 'get', 'ui.color'])).stdout).toBe('false');
  });
});
