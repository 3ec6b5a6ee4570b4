import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BatchRequest } from '@hyper2kvm/contracts';
import { afterAll, describe, expect, it } from 'vitest';
import { parseNames } from '../src/lib/batch/names.js';
import { readPlan } from '../src/lib/batch/read.js';
import { batchBody, needsVcenter, vmsOf, type BatchFlags } from '../src/lib/batch/request.js';
import { UsageError } from '../src/lib/errors.js';
import { configOf, settings } from '../src/lib/settings.js';

const folder = mkdtempSync(path.join(tmpdir(), 'hyperctl-batch-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, text: string, mode = 0o600): string => {
  const full = path.join(folder, name);
  writeFileSync(full, text);
  chmodSync(full, mode);
  return full;
};
/** The complaint about a manifest, with its folder taken away. */
const complaint = (text: string, mode?: number): string => {
  const name = file('plan.yaml', text, mode);
  try {
    readPlan(name);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message.replaceAll(name, 'plan.yaml');
  }
  return 'none';
};

describe('a file of names', () => {
  it('has one a line; comments, blank lines and line ends do not count', () => {
    const text =
      '\ufeff# night\r\nweb-01\r\n\r\n  web-02  \r\n/DC1/vm/db # old\r\ndb # the old one\r\nweb #3\r\nvm-1042\t# moref\r\n  # end';
    expect(parseNames(text, 'x')).toEqual(['web-01', 'web-02', '/DC1/vm/db # old', 'db', 'web #3', 'vm-1042']);
  });

  it('names the line of what is wrong', () => {
    expect(() => parseNames('a\n\nb\na\n', 'vms.txt')).toThrow('vms.txt:4: a is in line 1 already');
    expect(() => parseNames(`a\n${'b'.repeat(1025)}`, 'vms.txt')).toThrow(/^vms\.txt:2: .*1024/);
    expect(() => parseNames('\n# nothing\n', 'vms.txt')).toThrow('vms.txt names no VM');
    expect(() => readPlan(path.join(folder, 'none.txt'))).toThrow(/none\.txt cannot be read: there is no such file/);
  });

  it('is told from a manifest by its name, or by what it says', () => {
    expect(readPlan(file('vms.txt', 'name: odd\n'))).toEqual({ vms: ['name: odd'] });
    expect(readPlan(file('list', 'web-01\nvms: 3\n'))).toEqual({ vms: ['web-01', 'vms: 3'] });
    expect(readPlan(file('plan', '# night\nvms: [a]\n'))).toEqual({ vms: [{ vm_name: 'a' }] });
    expect(readPlan(file('plan.json', '{"vms": ["a"]}'))).toEqual({ vms: [{ vm_name: 'a' }] });
  });
});

describe('a manifest', () => {
  it('of the user guide is understood, and what the gateway takes', () => {
    const guide = readFileSync(new URL('../../docs/user-guide.md', import.meta.url), 'utf8');
    const [, text = ''] = /```yaml\n(# A plan.*?)```/s.exec(guide) ?? [];
    file('web.key', 'geheim\n');
    const plan = readPlan(file('guide.yaml', text));
    const parsed = BatchRequest.parse(plan);
    expect(parsed.waves?.map(({ name, after }) => [name, after])).toEqual([
      ['databases', []],
      ['web', ['databases']],
    ]);
    expect(parsed.waves?.[0]?.vms).toContainEqual(expect.objectContaining({ vm_name: 'production-db' }));
    expect(JSON.stringify(parsed)).toContain(Buffer.from('geheim').toString('base64'));
  });

  it.each([
    ['vms: [a, b', /^plan\.yaml:1:\d+: not valid YAML: /],
    ['- a\n- b\n', /^plan\.yaml:1:\d+: it is no mapping/],
    ['name: x\n', /^plan\.yaml:1:\d+: give either vms or waves/],
    ['vms: []\n', /^plan\.yaml:1:\d+: vms: /],
    ['vms: [a]\nparallel: 3\n', /^plan\.yaml:2:\d+: parallel: there is no such key/],
    [
      'vms:\n  - a\n  - vm: b\n    options:\n      engin: native\n',
      /^plan\.yaml:5:\d+: vms\[1\]\.options\.engin: there is no such key/,
    ],
    [
      'vms:\n  - a\n  - vm: b\n    options: { engine: native2 }\n',
      /^plan\.yaml:4:\d+: vms\[1\]\.options\.engine: .*"native"/,
    ],
    ['vms:\n  - options: {}\n', /^plan\.yaml:2:\d+: vms\[0\]: vm is missing/],
    ['vms:\n  - 4711\n', /^plan\.yaml:2:\d+: vms\[0\]: .*quote one made of digits/],
    [
      'vms: [a]\noptions:\n  hooks:\n    before: { command: ok, timeout: 5 }\n',
      /^plan\.yaml:4:\d+: options\.hooks\.before\.timeout: there is no such key/,
    ],
    [
      'vms: [a]\noptions:\n  hooks:\n    before: { url: "ftp://x" }\n',
      /^plan\.yaml:4:\d+: options\.hooks\.before\.url: /,
    ],
    ['vms: [a]\noptions:\n  hooks:\n    before: { url: 5 }\n', /^plan\.yaml:4:\d+: options\.hooks\.before\.url: /],
    ['vms:\n  - a\n  - b\n  - { vm: a }\n', /^plan\.yaml:4:\d+: vms\[2\]: a is vms\[0\] already/],
    ['waves:\n  - name: one\n    vms: [a]\n  - name: two!\n    vms: [b]\n', /^plan\.yaml:4:\d+: waves\[1\]\.name: /],
    [
      'vms: [a]\nmax_parallel: 0\nstop_after_failures: x\n',
      /^plan\.yaml:2:\d+: max_parallel: .*\n {2}plan\.yaml:3:\d+: stop_after_failures: /,
    ],
  ])('%j is refused by line and path', (text, message) => expect(complaint(text)).toMatch(message));

  it('holds secrets only where nobody else may read it', () => {
    const login = 'vcenter: { server: vc, username: u, password: geheim }\nvms: [a]\n';
    expect(complaint(login, 0o644)).toBe(
      'plan.yaml holds a secret (vcenter.password) and has mode 0644: others may read it',
    );
    expect(complaint(login, 0o600)).toBe('none');
    const warnings: string[] = [];
    const named = file('keys.yaml', 'vms: [{ vm: a, luks_keys: [{ key_file: open.key }] }]\n');
    const open = file('open.key', 'x', 0o640);
    readPlan(named, (text) => warnings.push(text));
    expect(warnings).toEqual([`${open} can be read by others: chmod 600 ${open}`]);
    const key = 'vms: [{ vm: a, luks_keys: [{ key_base64: Z2VoZWlt }] }]\n';
    expect(complaint(key, 0o640)).toContain('0640');
    expect(complaint(key, 0o400)).toBe('none');
  });
});

const PIN = 'AB'.repeat(32);

describe('the request for a batch', () => {
  const file_ = {
    vsphere: { server: 'vc', username: 'u', thumbprint: PIN },
    conversion: { fix_grub: false, output_dir: '/mine' },
    notifications: { email: 'me@example.com' },
  };
  const own = settings({}, {}, configOf(file_));
  const body = (plan: Parameters<typeof batchBody>[0]['plan'], flags: BatchFlags = {}, convert = true): unknown =>
    batchBody({ plan, flags, own, keys: [], convert });

  it('has flags over the plan, and the plan over the configuration', () => {
    const plan = {
      name: 'plan',
      vms: ['a'],
      options: { fix_grub: true, priority: 'low' as const, hooks: { after: { command: 'tell' } } },
      max_parallel: 2,
    };
    const flags = {
      parallel: 5,
      'stop-after': 3,
      priority: 'high' as const,
      'hook-before': 'https://x.example/h',
      tags: 'a,b',
    };
    expect(body(plan, { ...flags, 'callback-url': 'https://x.example/end' })).toEqual({
      name: 'plan',
      vms: ['a'],
      vcenter: { server: 'vc', username: 'u', thumbprint: PIN },
      options: {
        fix_grub: true,
        output_dir: '/mine',
        priority: 'high',
        tags: ['a', 'b'],
        hooks: { before: { url: 'https://x.example/h' }, after: { command: 'tell' } },
      },
      max_parallel: 5,
      stop_after_failures: 3,
      notify_email: 'me@example.com',
      callback_url: 'https://x.example/end',
    });
    expect(body({ vms: ['a'] }, { 'batch-name': 'n' }, false)).toMatchObject({
      name: 'n',
      options: { auto_convert: false },
    });
  });

  it('sends no login of one vCenter to another', () => {
    expect(body({ vms: ['a'], vcenter: { server: 'prod' } })).toMatchObject({ vcenter: { server: 'prod' } });
    expect((body({ vms: ['a'], vcenter: { server: 'prod' } }) as { vcenter: object }).vcenter).toEqual({
      server: 'prod',
    });
    const plan = { vms: ['a'], vcenter: { server: 'prod', username: 'p' } };
    expect(body(plan, { vcenter: 'lab' })).toMatchObject({ vcenter: { server: 'lab' } });
    expect((body(plan, { vcenter: 'lab' }) as { vcenter: object }).vcenter).toEqual({ server: 'lab' });
  });

  it('gives keys to every VM that has none', () => {
    const plan = { waves: [{ name: 'w', vms: ['a', { vm_name: 'b', luks_keys: [] }] }] };
    const asked = batchBody({ plan, flags: {}, own, keys: [{ key_base64: 'Zm9v' }], convert: true });
    expect(asked.waves?.[0]?.vms).toEqual([
      { vm_name: 'a', luks_keys: [{ key_base64: 'Zm9v' }] },
      { vm_name: 'b', luks_keys: [] },
    ]);
    expect(vmsOf(asked)).toHaveLength(2);
    const ova = { kind: 'ova', path: '/srv/a.ova' } as const;
    expect([needsVcenter(asked), needsVcenter({ vms: [{ vm_name: 'x', source: ova }] })]).toEqual([true, false]);
  });

  it('names the flag that is wrong', () => {
    expect(() => body({ vms: ['a'] }, { 'hook-before': 'no such command!' })).toThrow(/^--hook-before: /);
    expect(() => body({ vms: ['a'] }, { 'callback-url': 'https://me:pw@x' })).toThrow(
      /^--callback-url: .*without a login/,
    );
    expect(() => body({ vms: ['a'] }, { window: 'x' })).toThrow(/^--window: /);
  });
});
