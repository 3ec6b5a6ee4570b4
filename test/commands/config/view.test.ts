import { chmod } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { Home } from './home.js';

const TEXT = `
daemons:
  go: { url: "http://localhost:8080", timeout: 30 }
  python: { socket: "/var/lib/hyper2kvm/output/.daemon/control.sock", timeout: 10 }
vsphere: { server: vcenter.example.com, username: automation@vsphere.local }
current_context: lab
contexts: { lab: { vsphere: { datacenter: DC1 }, token: "\${TOKEN}" } }
`;
const rowsOf = (stdout: string): Record<string, string> =>
  Object.fromEntries(
    stdout
      .split('\n')
      .slice(2)
      .map((line) => {
        const [key = '', ...rest] = line.split(/ {2,}/);
        return [key, rest.join(' | ')];
      }),
  );

describe('hyperctl config view', () => {
  it('shows what counts, and with --origin who said it', async () => {
    const home = await Home.with(TEXT);
    const plain = await home.run(['config', 'view'], { TOKEN: 'geheim' });
    expect(plain.exitCode, plain.stderr).toBe(0);
    expect(plain.stdout).toContain(`# ${home.file}, context lab (file)\ncurrent_context: lab\ndaemons:\n  go:\n`);
    expect(plain.stdout).toContain('token: (set; not shown)');
    expect(plain.stderr).toBe(
      `Note: daemons.python.socket (${home.file}) is not used: daemons.go.url (file) names the gateway`,
    );
    const { stdout } = await home.run(['config', 'view', '--origin', '--url', 'http://gw'], {
      TOKEN: 'geheim',
      VSPHERE_USERNAME: 'me',
    });
    expect(rowsOf(stdout)).toMatchObject({
      'daemons.go.url': 'http://gw | flag --url',
      'daemons.go.timeout': '30 | file',
      'vsphere.username': 'me | env VSPHERE_USERNAME',
      'vsphere.datacenter': 'DC1 | context lab',
      token: '(set; not shown) | context lab',
      'ui.color': 'true | default',
    });
    expect(stdout + plain.stdout).not.toContain('geheim');
  });

  it('says what is not used with another vCenter, as JSON too', async () => {
    const home = await Home.with(TEXT);
    const { stdout } = await home.run(['config', 'view', '--json', '--vcenter', 'other'], { TOKEN: 't' });
    const document = JSON.parse(stdout) as { context: string; settings: Record<string, unknown>; notices: string[] };
    expect(document.context).toBe('lab');
    expect(document.settings).toMatchObject({
      'vsphere.server': { value: 'other', origin: 'flag --vcenter' },
      'vsphere.username': { value: null },
      token: { value: null, secret: true, set: true, origin: 'context lab' },
    });
    expect(document.notices).toContain(
      `vsphere.username of ${home.file} is not used: it belongs to vCenter vcenter.example.com, not to other`,
    );
  });

  it('shows a variable that is not set in its place, and the gateway where nobody named one', async () => {
    const home = await Home.with('vsphere: { server: "${VCENTER}" }\n');
    const { stdout, exitCode } = await home.run(['config', 'view', '--origin']);
    expect(exitCode).toBe(0);
    expect(rowsOf(stdout)).toMatchObject({
      'daemons.go.url': 'http://127.0.0.1:8080 | default',
      'vsphere.server': `(${home.file}: vsphere.server: the environment variable VCENTER is not set) | -`,
    });
  });

  it('refuses a file with all that is wrong, or with a token that others may read', async () => {
    const home = await Home.with('vsphere:\n  sever: x\n  insecure: perhaps\n');
    const wrong = await home.run(['config', 'view']);
    expect(wrong).toMatchObject({ exitCode: 2, stdout: '' });
    expect(wrong.stderr.split('\n').slice(0, 2)).toEqual([
      `Error: ${home.file}:2:3: there is no key vsphere.sever; did you mean "vsphere.server"?`,
      `  ${home.file}:3:13: vsphere.insecure: it has to be true or false`,
    ]);
    await home.write('contexts: { prod: { token: geheim } }\n');
    await chmod(home.file, 0o644);
    const open = await home.run(['config', 'view']);
    expect(open.exitCode).toBe(2);
    expect(open.stderr).toContain(
      `contexts.prod.token) and has mode 0644: others may read it\n  try:   chmod 600 ${home.file}`,
    );
    expect(open.stderr).not.toContain('geheim');
  });
});
