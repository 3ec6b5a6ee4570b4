import { BatchRequest, ConvertRequest, TokenRequest, VcenterConnectionRequest } from '@hyper2kvm/contracts';
import { expect, it } from 'vitest';
import { auditedRequest } from '../src/access/audited-request.js';
import { fingerprint } from '../src/access/fingerprint.js';

const SECRET = 'Wh0-kn0ws';
const vcenter = { server: 'vc.example.com', username: 'u', password: SECRET };
const kept = (schema: Parameters<typeof auditedRequest>[0], body: unknown): unknown =>
  JSON.parse(auditedRequest(schema, body) ?? 'null');

it('keeps what was asked, without defaults and without secrets', () => {
  expect(
    kept(ConvertRequest, {
      vm_name: 'a',
      vcenter,
      luks_keys: [{ key_base64: 'V2gwLWtuMHdz' }],
      options: { priority: 'high' },
    }),
  ).toEqual({
    vm_name: 'a',
    vcenter: { server: 'vc.example.com', username: 'u', password: '[redacted]' },
    luks_keys: '[redacted]',
    options: { priority: 'high' },
  });
  expect(kept(TokenRequest, { name: 'ci', role: 'viewer' })).toEqual({ name: 'ci', role: 'viewer' });
  expect(JSON.stringify(kept(VcenterConnectionRequest, { name: 'prod', ...vcenter }))).not.toContain(SECRET);
  expect(auditedRequest(TokenRequest, undefined)).toBeNull();
});

it('keeps no query of an address, and no path of a receiver', () => {
  const options = {
    callback_url: `https://hooks.example.com/${SECRET}?token=${SECRET}`,
    // A path that a text in JSON would end early.
    slack_webhook: `https://chat.example.com/"${SECRET}`,
    hooks: { before: { url: `https://hooks.example.com/b?key=${SECRET}` } },
  };
  const text = auditedRequest(ConvertRequest, { vm_name: 'a', vcenter, options }) ?? '';
  expect(text).toContain('https://hooks.example.com/[redacted]');
  expect(text).toContain('https://chat.example.com/[redacted]');
  expect(text).toContain('https://hooks.example.com/b?[redacted]');
  expect(text).not.toContain(SECRET);
});

it('keeps the names of fields alone where a body does not fit: a password may stand anywhere', () => {
  expect(kept(ConvertRequest, { vm_name: 'a', pasword: SECRET })).toEqual({ fields: ['vm_name', 'pasword'] });
  expect(kept(undefined, { anything: SECRET })).toEqual({ fields: ['anything'] });
  expect(kept(TokenRequest, SECRET)).toEqual({ fields: [] });
  // Fields that a lenient schema ignores.
  const hooks = { before: { command: 'quiesce', pasword: SECRET } };
  expect(kept(ConvertRequest, { vm_name: 'a', vcenter, options: { hooks } })).toMatchObject({
    options: { hooks: { before: { command: 'quiesce' } } },
  });
  expect(auditedRequest(ConvertRequest, { vm_name: 'a', vcenter, options: { hooks } })).not.toContain(SECRET);
});

it('keeps the beginning of a plan of thousands', () => {
  const vms = Array.from({ length: 5000 }, (_, index) => ({ vm_name: `vm-${index}` }));
  const text = auditedRequest(BatchRequest, { vcenter, vms }) ?? '';
  expect(text.length).toBeLessThan(4100);
  expect(text).toContain('vm-19');
  expect(text).not.toContain('vm-20');
  expect(text).toContain('5000 in all');
});

it('knows the same request however its JSON is ordered', () => {
  const one = fingerprint('POST', '/x', { a: 1, b: { c: [1, 2], d: null } });
  expect(fingerprint('POST', '/x', { b: { d: null, c: [1, 2] }, a: 1 })).toBe(one);
  for (const other of [{ a: 1, b: { c: [2, 1], d: null } }, { a: 1 }, undefined, [], '{}'])
    expect(fingerprint('POST', '/x', other)).not.toBe(one);
  expect(fingerprint('POST', '/y', { a: 1, b: { c: [1, 2], d: null } })).not.toBe(one);
});
