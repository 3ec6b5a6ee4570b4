import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { originWord } from '../src/lib/config/index.js';
import { SETTINGS, type Setting, type SettingKey } from '../src/lib/config/table.js';
import { configOf, settings } from '../src/lib/settings.js';

type Tree = Record<string, unknown>;
const at = (key: string, value: unknown): Tree =>
  key.split('.').reduceRight<unknown>((inner, part) => ({ [part]: inner }), value) as Tree;
const resolve = (flags: Tree, env: NodeJS.ProcessEnv, file: Tree) => settings(flags, env, configOf(file)).all;
const of = (all: ReturnType<typeof resolve>, key: SettingKey): [unknown, string] => {
  const { value, origin } = all.of(key);
  return [value, originWord(origin)];
};

describe('precedence', () => {
  const file = {
    ...at('vsphere.server', 'of-file'),
    current_context: 'prod',
    contexts: { prod: at('vsphere.server', 'of-prod'), lab: at('vsphere.server', 'of-lab') },
  };
  const env = { VSPHERE_SERVER: 'of-env' };
  const bare = { contexts: { prod: {} } };
  it.each([
    // flags, environment, file, value, origin
    [{ vcenter: 'of-flag' }, env, file, 'of-flag', 'flag --vcenter'],
    [{ vcenter: 'of-flag', context: 'lab' }, env, file, 'of-flag', 'flag --vcenter'],
    [{}, env, file, 'of-env', 'env VSPHERE_SERVER'],
    [{}, { VSPHERE_SERVER: '' }, file, 'of-prod', 'context prod'],
    [{}, {}, file, 'of-prod', 'context prod'],
    [{}, { HYPER2KVM_CONTEXT: 'lab' }, file, 'of-lab', 'context lab'],
    [{}, { ...env, HYPER2KVM_CONTEXT: 'lab' }, file, 'of-env', 'env VSPHERE_SERVER'],
    // Who names a context on the command line means that, and not what a variable says.
    [{ context: 'lab' }, env, file, 'of-lab', 'context lab'],
    [{ context: 'prod' }, {}, { ...bare, ...at('vsphere.server', 'of-file') }, 'of-file', 'file'],
    [{ context: 'prod' }, env, bare, 'of-env', 'env VSPHERE_SERVER'],
    [{}, {}, bare, undefined, 'default'],
  ])('%j %j %j: %j, %s', (flags, variables, tree, value, origin) =>
    expect(of(resolve(flags, variables, tree), 'vsphere.server')).toEqual([value, origin]),
  );

  it('of contexts: flag, environment, file; one that is not there is an error with those that are near', () => {
    expect(resolve({ context: 'lab' }, { HYPER2KVM_CONTEXT: 'prod' }, file).context).toBe('lab');
    expect(resolve({}, { HYPER2KVM_CONTEXT: 'lab' }, file).context).toBe('lab');
    expect(resolve({}, {}, file).context).toBe('prod');
    expect(() => resolve({ context: 'prd' }, {}, file)).toThrow(
      'there is no context prd in config.yaml (--context); did you mean "prod"?',
    );
    expect(() => resolve({}, {}, { current_context: 'x' })).toThrow('(current_context)');
  });
});

/** Some value that is possible, other for each place. */
const SAMPLES: Readonly<Record<string, readonly unknown[]>> = {
  'daemons.go.url': ['http://flag', 'http://env', 'http://context', 'http://file'],
  'daemons.python.socket': ['/flag', '/env', '/context', '/file'],
  'notifications.email': ['flag@x.de', 'env@x.de', 'context@x.de', 'file@x.de'],
  'notifications.slack_webhook': ['flag', 'env', 'context', 'file'].map((of) => `https://hooks.slack.com/${of}`),
  'ui.log_level': ['debug', 'info', 'warn', 'error'],
  'vsphere.thumbprint': ['0', '1', '2', '3'].map((digit) => digit.repeat(64)),
};
const sampleOf = ({ key, kind }: Setting, place: number): unknown => {
  if (SAMPLES[key] !== undefined) return SAMPLES[key][place];
  if (kind.name === 'seconds') return place + 1;
  if (kind.name === 'true or false') return place % 2 === 0;
  return `/${['flag', 'env', 'context', 'file'][place]}`;
};
const PLAIN = (SETTINGS as readonly Setting[]).filter(({ whole, ofEnv }) => whole !== true && ofEnv === undefined);

describe('any configuration', () => {
  const place = fc.subarray(PLAIN.map(({ key }) => key));
  const tree = (keys: readonly string[], of: number): Tree => {
    const document: Tree = {};
    for (const setting of PLAIN.filter(({ key }) => keys.includes(key))) {
      let node = document;
      const parts = setting.key.split('.');
      for (const part of parts.slice(0, -1)) node = (node[part] ??= {}) as Tree;
      node[parts.at(-1) ?? ''] = sampleOf(setting, of);
    }
    return document;
  };

  it('the origin that is named is the one whose value is used, and the first that may say it', () => {
    fc.assert(
      fc.property(place, place, place, place, fc.boolean(), (flagged, variable, contextual, common, byFlag) => {
        const flags: Tree = byFlag ? { context: 'c' } : {};
        const env: NodeJS.ProcessEnv = {};
        for (const setting of PLAIN) {
          const { key, flag, env: [name] = [] } = setting;
          if (flag !== undefined && flagged.includes(key)) flags[flag] = sampleOf(setting, 0);
          if (name !== undefined && variable.includes(key)) env[name] = String(sampleOf(setting, 1));
        }
        const file = { ...tree(common, 3), current_context: 'c', contexts: { c: tree(contextual, 2) } };
        const { all } = settings(flags, env, configOf(file));
        for (const setting of PLAIN) {
          const { key, flag, env: [name] = [], group } = setting;
          const { value, origin } = all.of(key as SettingKey);
          const said: Record<string, unknown> = {
            [`flag --${flag}`]: flag === undefined ? undefined : flags[flag],
            [`env ${name}`]: name === undefined || env[name] === undefined ? undefined : sampleOf(setting, 1),
            'context c': contextual.includes(key) ? sampleOf(setting, 2) : undefined,
            file: common.includes(key) ? sampleOf(setting, 3) : undefined,
          };
          if (origin === undefined) expect(value).toBe(setting.default);
          else expect(said[originWord(origin)], key).toBe(value);
          if (group !== undefined) continue;
          const order = byFlag ? ['flag', 'context', 'env', 'file'] : ['flag', 'env', 'context', 'file'];
          const first = order
            .map((from) => Object.entries(said).find(([word, it]) => word.startsWith(from) && it !== undefined)?.[0])
            .find((word) => word !== undefined);
          expect(originWord(origin), key).toBe(first ?? 'default');
        }
      }),
    );
  });
});
