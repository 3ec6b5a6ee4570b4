/** One session per vCenter and account: what keeps a vCenter from running out of them. */
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe as describeVm, VcenterSessions, type SessionTimes } from '@hyper2kvm/exporter';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startVcsim, type Vcsim, type VcsimState } from '../support/vcsim.js';
import { endpointOf } from './export-setup.js';
import { failure } from './vcenter-asking.js';

let vcsim: Vcsim;
let pool: VcenterSessions;
/** The simulator's inventory is made by a login of its own. */
let before: number;

const make = (times?: SessionTimes): VcenterSessions => (pool = new VcenterSessions(times));
const logins = async (): Promise<number> => ((await vcsim.control()).calls.Login ?? 0) - before;

async function until(met: (state: VcsimState) => boolean): Promise<void> {
  for (let look = 0; look < 200; look++) {
    if (met(await vcsim.control())) return;
    await sleep(50);
  }
  throw new Error(`it did not come to that: ${JSON.stringify(await vcsim.control())}`);
}

beforeEach(async () => {
  vcsim = await startVcsim({ vms: [{ name: 'web', disks: [{ capacity_bytes: 2 ** 20 }] }] });
  before = (await vcsim.control()).calls.Login ?? 0;
});

afterEach(async () => {
  await pool?.closeAll();
  await vcsim?.stop();
});

describe('sessions of one account', () => {
  test('are one, however many ask at the same time and one after another', async () => {
    make();
    const held = await Promise.all(Array.from({ length: 10 }, async () => pool.acquire(endpointOf(vcsim))));
    const found = await Promise.all(held.map(async (session) => describeVm(session, { vmName: 'web' })));
    expect(found).toHaveLength(10);
    for (const session of held) await session.close();
    const again = await pool.acquire(endpointOf(vcsim));
    await describeVm(again, { vmName: 'web' });
    await again.close();
    expect([await logins(), (await vcsim.control()).sessions]).toEqual([1, 1]);
  });

  test('keep their own datacenter', async () => {
    make();
    const [right, wrong] = await Promise.all(
      ['DC0', 'DC9'].map(async (datacenter) => pool.acquire(endpointOf(vcsim, { datacenter }))),
    );
    if (right === undefined || wrong === undefined) throw new Error('two sessions were asked for');
    expect((await describeVm(right, { vmName: 'web' })).machine.datacenter).toBe('DC0');
    await failure(describeVm(wrong, { vmName: 'web' }), 'VM_NOT_FOUND');
    expect(await logins()).toBe(1);
  });

  test('given back twice is given back once', async () => {
    make({ idleMs: 100, keepAliveMs: 60_000 });
    const first = await pool.acquire(endpointOf(vcsim));
    const second = await pool.acquire(endpointOf(vcsim));
    await first.close();
    await first.close();
    await sleep(300);
    await describeVm(second, { vmName: 'web' });
    expect([await logins(), (await vcsim.control()).calls.Logout]).toEqual([1, 1]);
  });
});

describe('another account', () => {
  test('with another password gets nothing of the session that is there', async () => {
    make();
    const held = await pool.acquire(endpointOf(vcsim));
    expect(await failure(pool.acquire(endpointOf(vcsim, { password: 'guessed' })), 'VCENTER_LOGIN')).not.toContain(
      'guessed',
    );
    await describeVm(held, { vmName: 'web' });
    // A login that failed is forgotten: the next one asks vCenter again.
    await failure(pool.acquire(endpointOf(vcsim, { password: 'guessed' })), 'VCENTER_LOGIN');
    expect(await logins()).toBe(3);
  });

  test('with another trust is another session, and is refused', async () => {
    make();
    await pool.acquire(endpointOf(vcsim));
    const trust = { fingerprints: ['00'.repeat(32)], insecure: false };
    await failure(pool.acquire(endpointOf(vcsim, { trust })), 'VCENTER_TLS');
  });
});

describe('a session', () => {
  test('that nobody uses is logged out after a while, and not before', async () => {
    make({ idleMs: 300, keepAliveMs: 60_000 });
    const session = await pool.acquire(endpointOf(vcsim));
    await sleep(600);
    expect((await vcsim.control()).sessions).toBe(1);
    await session.close();
    await until(({ sessions }) => sessions === 0);
    const next = await pool.acquire(endpointOf(vcsim));
    await describeVm(next, { vmName: 'web' });
    expect(await logins()).toBe(2);
  });

  test('that is held is kept alive, and made anew where vCenter has ended it', async () => {
    make({ idleMs: 60_000, keepAliveMs: 100 });
    await pool.acquire(endpointOf(vcsim));
    await until(({ calls }) => (calls.CurrentTime ?? 0) > 2);
    expect(await logins()).toBe(1);
    await vcsim.change({ drop_sessions: true });
    await until(({ sessions }) => sessions === 1);
    expect(await logins()).toBe(2);
  });

  test('is not ended by one who stops waiting for its login', async () => {
    make();
    const impatient = new AbortController();
    const given = pool.acquire(endpointOf(vcsim), { signal: impatient.signal });
    const patient = pool.acquire(endpointOf(vcsim));
    impatient.abort(new Error('no time'));
    await expect(given).rejects.toThrow('no time');
    expect((await describeVm(await patient, { vmName: 'web' })).machine.name).toBe('web');
    expect(await logins()).toBe(1);
  });

  test('whose connection broke is not handed out again', async () => {
    make();
    const session = await pool.acquire(endpointOf(vcsim));
    const { port } = new URL(vcsim.url);
    await vcsim.stop();
    await failure(describeVm(session, { vmName: 'web' }), 'VCENTER_UNREACHABLE');
    vcsim = await startVcsim({ port: Number(port), vms: [{ name: 'web', disks: [{ capacity_bytes: 2 ** 20 }] }] });
    before = (await vcsim.control()).calls.Login ?? 0;
    const next = await pool.acquire(endpointOf(vcsim));
    expect((await describeVm(next, { vmName: 'web' })).machine.name).toBe('web');
    // The old one, which still has its holder, comes back to life by a login of its own.
    expect((await describeVm(session, { vmName: 'web' })).machine.name).toBe('web');
    expect(await logins()).toBe(2);
    await session.close();
    await until(({ sessions }) => sessions === 1);
  });

  test('that is not there yet is not waited for at the end', async () => {
    make();
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => {
      silent.listen(0, '127.0.0.1', resolve);
    });
    try {
      const { port } = silent.address() as { port: number };
      const asked = pool
        .acquire(endpointOf(vcsim, { server: `127.0.0.1:${port}` }))
        .catch((error: Error) => error.message);
      await pool.closeAll();
      expect(await asked).toBe('the sessions are closed');
    } finally {
      silent.close();
    }
  }, 5_000);

  test('is logged out at the end, also while it is in use', async () => {
    make();
    await pool.acquire(endpointOf(vcsim));
    await pool.closeAll();
    expect((await vcsim.control()).sessions).toBe(0);
    await expect(pool.acquire(endpointOf(vcsim))).rejects.toThrow('closed');
  });
});
