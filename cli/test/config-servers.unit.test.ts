// What is bound to a server goes to no other: see the head of config/resolve.ts.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { configOf, settings } from '../src/lib/settings.js';

type Tree = Record<string, unknown>;
const PIN = 'ab'.repeat(32);
const PROD = { server: 'prod', username: 'of-prod', datacenter: 'DC1', thumbprint: PIN };
const vcenter = (flags: Tree, env: NodeJS.ProcessEnv, file: Tree) => {
  const { vcenter: found } = settings(flags, env, configOf(file, '/config.yaml'));
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
};

describe('a vCenter', () => {
  it.each<[string, Tree, NodeJS.ProcessEnv, Tree, Tree]>([
    ['of the file has what stands beside it', {}, {}, { vsphere: PROD }, PROD],
    ['of a flag gets nothing of another', { vcenter: 'lab' }, {}, { vsphere: PROD }, { server: 'lab' }],
    [
      'of a flag that is the same one, written otherwise, gets it all',
      { vcenter: 'https://PROD:443/ui' },
      {},
      { vsphere: PROD },
      { ...PROD, server: 'https://PROD:443/ui' },
    ],
    [
      'of a flag has what other flags say',
      { vcenter: 'lab', username: 'me', insecure: true },
      {},
      { vsphere: PROD },
      { server: 'lab', username: 'me', insecure: true },
    ],
    ['may be given another account by a flag', { username: 'me' }, {}, { vsphere: PROD }, { ...PROD, username: 'me' }],
    [
      'of the environment has what the environment says, and nothing of the file',
      {},
      { VSPHERE_SERVER: 'lab', VSPHERE_USERNAME: 'of-env' },
      { vsphere: PROD },
      { server: 'lab', username: 'of-env' },
    ],
    [
      'of a flag gets nothing of an environment that names another',
      { vcenter: 'lab' },
      { VSPHERE_SERVER: 'prod', VSPHERE_USERNAME: 'of-env', VSPHERE_INSECURE: '1' },
      {},
      { server: 'lab' },
    ],
    [
      'of whomever gets an account that stands beside no server',
      { vcenter: 'lab' },
      { VSPHERE_USERNAME: 'of-env' },
      { vsphere: { datacenter: 'DC9' } },
      { server: 'lab', username: 'of-env', datacenter: 'DC9' },
    ],
    [
      'of a context gets nothing of the rest of the file',
      { context: 'lab' },
      {},
      { vsphere: PROD, contexts: { lab: { vsphere: { server: 'lab', username: 'of-lab' } } } },
      { server: 'lab', username: 'of-lab' },
    ],
    [
      'of the file may be completed by a context without one',
      { context: 'lab' },
      {},
      { vsphere: PROD, contexts: { lab: { vsphere: { username: 'of-lab' } } } },
      { ...PROD, username: 'of-lab' },
    ],
    [
      'is trusted in one way: a flag leaves nothing of the file',
      { 'ca-file': '/new.pem' },
      {},
      { vsphere: { ...PROD, insecure: true } },
      { server: 'prod', username: 'of-prod', datacenter: 'DC1', caFile: '/new.pem' },
    ],
    [
      'is trusted in one way: a pin is not weakened by what stands below it',
      { thumbprint: PIN },
      {},
      { vsphere: { server: 'prod', insecure: true } },
      { server: 'prod', thumbprint: PIN },
    ],
    [
      'is checked by what the file says when a flag says only that it is to be',
      { insecure: false },
      {},
      { vsphere: { ...PROD, insecure: true } },
      { ...PROD, insecure: false },
    ],
    [
      'of a variable that is not set is another one than a flag names',
      { vcenter: 'lab' },
      {},
      { vsphere: { server: '${VCENTER}', username: 'of-prod' } },
      { server: 'lab' },
    ],
  ])('%s', (_, flags, env, file, expected) => expect(vcenter(flags, env, file)).toEqual(expected));

  it('says what it does without, and why', () => {
    const { notices } = settings(
      { vcenter: 'lab' },
      { VSPHERE_SERVER: 'dev', VSPHERE_USERNAME: 'x' },
      configOf({ vsphere: PROD }),
    );
    expect(notices).toEqual([
      'VSPHERE_USERNAME is not used: it belongs to vCenter dev, not to lab',
      'vsphere.datacenter of config.yaml is not used: it belongs to vCenter prod, not to lab',
      'vsphere.thumbprint of config.yaml is not used: it belongs to vCenter prod, not to lab',
    ]);
  });
});

describe('a gateway', () => {
  const file = configOf(
    {
      ca_file: 'common.pem',
      daemons: { go: { url: 'https://common' } },
      contexts: {
        prod: { daemons: { go: { url: 'https://prod/' } }, token: '${PROD}', ca_file: 'prod.pem' },
        local: { daemons: { python: { socket: '/run/g.sock' } } },
        same: { token: '${SAME}' },
      },
    },
    '/etc/h/config.yaml',
  );
  const env = { PROD: 'of-prod', SAME: 'of-same' };
  const keys = (flags: Tree, variables: NodeJS.ProcessEnv = {}) => {
    const { all, url, token } = settings(flags, { ...env, ...variables }, file);
    return [url, token, all.of('ca_file').value];
  };

  it('gets the token and the trust that stand beside its address', () => {
    expect(keys({ context: 'prod' })).toEqual(['https://prod/', 'of-prod', '/etc/h/prod.pem']);
    expect(keys({ context: 'prod', url: 'https://prod' })).toEqual(['https://prod', 'of-prod', '/etc/h/prod.pem']);
    expect(keys({ context: 'prod', url: 'https://other' })).toEqual(['https://other', undefined, undefined]);
    expect(keys({ context: 'local' })).toEqual(['unix:/run/g.sock', undefined, undefined]);
    expect(keys({ context: 'same' })).toEqual(['https://common', 'of-same', '/etc/h/common.pem']);
    expect(keys({ url: 'https://other', token: 'of-flag' })).toEqual(['https://other', 'of-flag', undefined]);
  });

  it('gets a token of the environment unless that names another gateway', () => {
    expect(keys({}, { HYPER2KVM_TOKEN: 'e' })).toEqual(['https://common', 'e', '/etc/h/common.pem']);
    const beside = { HYPER2KVM_TOKEN: 'e', HYPER2KVM_URL: 'https://env' };
    expect(keys({}, beside)).toEqual(['https://env', 'e', undefined]);
    expect(keys({ context: 'prod' }, beside)).toEqual(['https://prod/', 'of-prod', '/etc/h/prod.pem']);
    expect(keys({ url: 'https://other' }, beside)).toEqual(['https://other', undefined, undefined]);
  });
});

it('no secret and no trust of a place reaches a server that another place names', () => {
  const name = fc.option(fc.constantFrom('one', 'two'), { nil: undefined });
  const saying = fc.record({ server: name, member: fc.boolean() });
  fc.assert(
    fc.property(name, saying, saying, saying, fc.boolean(), (flagged, env, context, common, byFlag) => {
      const tree = ({ server, member }: typeof env, who: string) => ({
        vsphere: { ...(server === undefined ? {} : { server }), ...(member ? { username: who, datacenter: who } : {}) },
      });
      const file = { ...tree(common, 'file'), current_context: 'c', contexts: { c: tree(context, 'context') } };
      const { vcenter: found } = settings(
        { ...(flagged === undefined ? {} : { vcenter: flagged }), ...(byFlag ? { context: 'c' } : {}) },
        {
          ...(env.server === undefined ? {} : { VSPHERE_SERVER: env.server }),
          ...(env.member ? { VSPHERE_USERNAME: 'env', VSPHERE_DATACENTER: 'env' } : {}),
        },
        configOf(file),
      );
      const beside = { env, context, file: common };
      for (const used of [found.username, found.datacenter]) {
        if (used === undefined) continue;
        const own = beside[used as keyof typeof beside].server;
        expect(own ?? found.server).toBe(found.server);
      }
    }),
  );
});
