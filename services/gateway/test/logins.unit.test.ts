import { once } from 'node:events';
import { JobError, type ErrorCode, type VsphereSource } from '@hyper2kvm/contracts';
import { Sealer } from '@hyper2kvm/runtime';
import { expect, it, vi } from 'vitest';
import { Logins } from '../src/release/logins.js';

const sealer = new Sealer(Buffer.alloc(32, 1));
/** Each time sealed anew, as it is in rows. */
const source = (password: string, server = 'vc.example.com'): VsphereSource => ({
  kind: 'vsphere',
  server,
  username: 'automation@vsphere.local',
  password_sealed: sealer.seal(password),
  tls: { insecure: false },
});
const failing = (code: ErrorCode) => (): Promise<never> => Promise.reject(new JobError(code, 'It did not go.'));
const refused = failing('VCENTER_LOGIN');
const LOGIN = { code: 'VCENTER_LOGIN' };

it('tries a login that nobody knows once, however many wait for it, and believes the refusal', async () => {
  const logins = new Logins(sealer);
  const ask = vi.fn(refused);
  const all = await Promise.allSettled(Array.from({ length: 20 }, () => logins.use(source('wrong'), ask)));
  expect(all.every((one) => one.status === 'rejected' && (one.reason as JobError).code === 'VCENTER_LOGIN')).toBe(true);
  await expect(logins.use(source('wrong'), ask)).rejects.toMatchObject(LOGIN);
  expect(ask).toHaveBeenCalledTimes(1);
  // Another password, and another server, are other logins.
  await expect(logins.use(source('right'), async () => 'vm')).resolves.toBe('vm');
  await expect(logins.use(source('wrong', 'vc2.example.com'), async () => 'vm')).resolves.toBe('vm');
});

it('lets all go side by side once the first has proved it, also where its VM was not there', async () => {
  const logins = new Logins(sealer);
  await expect(logins.use(source('right'), failing('VM_NOT_FOUND'))).rejects.toMatchObject({ code: 'VM_NOT_FOUND' });
  const gate = new AbortController();
  const ask = vi.fn(async () => once(gate.signal, 'abort'));
  const all = Array.from({ length: 5 }, () => logins.use(source('right'), ask));
  await Promise.resolve();
  expect(ask).toHaveBeenCalledTimes(5);
  gate.abort();
  await Promise.all(all);
});

it('asks again after an error that says nothing of the login, and after the pause', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    const logins = new Logins(sealer);
    await expect(logins.use(source('p'), failing('VCENTER_UNREACHABLE'))).rejects.toMatchObject({
      code: 'VCENTER_UNREACHABLE',
    });
    await expect(logins.use(source('p'), refused)).rejects.toMatchObject(LOGIN);
    const ask = vi.fn(async () => 'vm');
    await expect(logins.use(source('p'), ask)).rejects.toMatchObject(LOGIN);
    vi.advanceTimersByTime(60_001);
    await expect(logins.use(source('p'), ask)).resolves.toBe('vm');
  } finally {
    vi.useRealTimers();
  }
});
