import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startOwnFleet, type OwnFleet } from '../own-fleet.js';

let fleet: OwnFleet;
beforeAll(async () => {
  fleet = await startOwnFleet();
});
afterAll(() => fleet?.stop());

const word = (text: string): string => /with key (\S+):/.exec(text)?.[1] ?? '';

it('hyperctl secrets rotate: seals all anew with the new key, and says what cannot be opened any more', async () => {
  const add = ['vcenter', 'add', 'prod', '--vcenter', 'vc.example.com', '--username', 'u'];
  expect((await fleet.hyperctl(add, { VSPHERE_PASSWORD: 'a pass$word' })).exitCode).toBe(0);
  const same = await fleet.hyperctl(['secrets', 'rotate']);
  expect(same).toMatchObject({ exitCode: 0, stderr: '' });
  expect(same.stdout).toMatch(
    /^Sealed anew with key \S+: \d vCenter connections?, 0 jobs, 0 messages, \d+ kept answers?\.$/,
  );

  const key = randomBytes(32).toString('base64');
  const renewed = await fleet.stack.gateway({ secrets: { key, previous_keys: [fleet.stack.key] } });
  const rotated = await fleet.hyperctl(['secrets', 'rotate'], { HYPER2KVM_URL: renewed.url });
  expect(rotated).toMatchObject({ exitCode: 0, stderr: '' });
  expect(rotated.stdout).toContain('1 vCenter connection,');
  expect(word(rotated.stdout)).not.toBe(word(same.stdout));

  // The gateway of before has the old key alone.
  const lost = await fleet.hyperctl(['secrets', 'rotate']);
  expect(lost.exitCode).toBe(1);
  expect(lost.stderr).toMatch(/^\d+ cannot be opened: they were sealed with a key that is not configured any more\.$/);
});
