/** Exports that are cancelled, and those that nobody ended: what is left goes. */
import { access, readdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanUpJob, VcenterSessions, type ExportRequest, type VimSession } from '@hyper2kvm/exporter';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bytesServed, messagesOf, recordingPorts, settingsFor } from './export-setup.js';
import { Site, stoppedOnceMoving } from './export-site.js';

let site: Site;

beforeAll(async () => {
  site = await Site.start(() => [{ name: 'dropped' }, { name: 'swept' }]);
});

afterAll(async () => {
  await site?.stop();
});

beforeEach(async () => {
  await site.rates(0);
});

const cleanUp = async (request: ExportRequest, removeFiles: boolean): ReturnType<typeof cleanUpJob> =>
  cleanUpJob({ ...request, removeFiles }, settingsFor(site.folder), recordingPorts().ports);

async function abandon(vmName: string): Promise<ExportRequest> {
  await site.rates(30_000);
  const recorded = stoppedOnceMoving('shutdown');
  const { request } = await site.run(site.request(vmName), {}, recorded);
  const state = await site.vcsim.control();
  expect(state.snapshots.map(({ name }) => name)).toEqual([`hyper2kvm-${request.jobId}`]);
  expect(state.leases.at(-1)?.state).toBe('ready');
  return request;
}

/** Sessions in which a snapshot takes a while, and comes about also when the one who asked has left: that is when it is cancelled. */
function slowSnapshots(stop: AbortController, over: AbortSignal): VcenterSessions {
  const sessions = new VcenterSessions();
  const slow = (session: VimSession): VimSession['call'] => {
    const made = async (...[method, self, args]: Parameters<VimSession['call']>): Promise<unknown> => {
      stop.abort(Object.assign(new Error('cancelled'), { kind: 'cancelled' }));
      await sleep(1_000, undefined, { signal: over }).catch(() => {});
      return session.call(method, self, args);
    };
    return async (method, self, args, options) => {
      if (method !== 'CreateSnapshot_Task') return session.call(method, self, args, options);
      const left = new Promise<never>((_, reject) => {
        options?.signal?.addEventListener('abort', () => reject(options.signal?.reason as Error));
      });
      return Promise.race([made(method, self, args), left]);
    };
  };
  const acquire = sessions.acquire.bind(sessions);
  sessions.acquire = async (endpoint, options) => {
    const session = await acquire(endpoint, options);
    return new Proxy(session, {
      get: (target, key) => {
        if (key === 'call') return slow(target);
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  };
  return sessions;
}

describe('cancelled', () => {
  test('no byte flows after 5 s; lease, snapshot and files go, and the phase is cleanup', async () => {
    await site.rates(20_000);
    const recorded = stoppedOnceMoving('cancelled');
    const cancelled = new Promise<number>((resolve) =>
      recorded.stop.signal.addEventListener('abort', () => resolve(performance.now()), { once: true }),
    );
    const { error, request } = await site.run(site.request('dropped'), {}, recorded);
    expect(performance.now() - (await cancelled)).toBeLessThan(5_000);
    expect((error as Error).message).toBe('cancelled');
    const bytes = await bytesServed(site.vcsim);
    await site.expectNothingLeft(request);
    expect(recorded.progress.at(-1)).toMatchObject({ phase: 'cleanup' });
    expect(messagesOf(recorded).slice(-3)).toEqual([
      'Cleaning up: the lease, the snapshot and the files of this job',
      expect.stringMatching(/^Snapshot "hyper2kvm-.*" removed$/),
      'Cleaning up has ended',
    ]);
    expect(await bytesServed(site.vcsim)).toBe(bytes);
  });

  test('while its snapshot is being made, it waits for it and removes it', async () => {
    const recorded = recordingPorts();
    const over = new AbortController();
    recorded.ports = { ...recorded.ports, sessions: slowSnapshots(recorded.stop, over.signal) };
    const { request, error } = await site.run(site.request('dropped'), {}, recorded);
    expect((error as Error).message).toBe('cancelled');
    // A vCenter goes on with what it was asked for, whether anybody waits for it or not.
    over.abort();
    await sleep(500);
    await site.expectNothingLeft(request);
  });
});

describe('cleaning up after an export that nobody ended', () => {
  test('takes lease, snapshot and files along, and may be repeated', async () => {
    const request = await abandon('swept');
    expect(await cleanUp(request, true)).toEqual({
      removedSnapshots: [`hyper2kvm-${request.jobId}`],
      removedFiles: true,
    });
    await site.expectNothingLeft(request);
    expect(await cleanUp(request, true)).toEqual({ removedSnapshots: [], removedFiles: true });
  });

  test('finds the snapshot where there is no journal, and leaves others alone', async () => {
    const soap = await site.login();
    const vm = await site.vmRef('swept');
    for (const name of ['mine', 'hyper2kvm-job-safety9'])
      await soap.call('CreateSnapshot_Task', vm, `<name>${name}</name><memory>false</memory><quiesce>false</quiesce>`);
    const request = { ...site.request('swept'), jobId: 'job-safety9' };
    expect(await cleanUp(request, true)).toMatchObject({ removedSnapshots: ['hyper2kvm-job-safety9'] });
    const left = (await site.vcsim.control()).snapshots;
    expect(left.map(({ name }) => name)).toEqual(['mine']);
    await soap.call(
      'RemoveSnapshot_Task',
      { type: 'VirtualMachineSnapshot', value: left[0]?.ref ?? '' },
      '<removeChildren>false</removeChildren>',
    );
  });

  test('says what is left when it could not, and can be tried again', async () => {
    const request = await abandon('swept');
    await site.vcsim.change({ fail: { method: 'RemoveSnapshot_Task', fault: 'TaskInProgress', times: 3 } });
    await expect(cleanUp(request, true)).rejects.toMatchObject({
      code: 'CLEANUP_INCOMPLETE',
      retryable: true,
      message: expect.stringContaining(
        `The snapshot "hyper2kvm-${request.jobId}" could not be removed from VM swept`,
      ) as unknown,
    });
    await access(path.join(site.folder, request.jobId));
    await cleanUp(request, true);
    await site.expectNothingLeft(request);
  });

  test('an export whose snapshot could not be removed is complete, and tells what it left', async () => {
    await site.vcsim.change({ fail: { method: 'RemoveSnapshot_Task', fault: 'TaskInProgress', times: 3 } });
    const { exported, request } = await site.done(site.request('swept'));
    const name = `hyper2kvm-${request.jobId}`;
    expect(exported.leftover).toEqual({ vm: (await site.vmRef('swept')).value, snapshot: name });
    expect(await cleanUp(request, false)).toEqual({ removedSnapshots: [name], removedFiles: false });
    expect((await readdir(path.join(site.folder, request.jobId))).toSorted()).toEqual(['artifact.json', 'disk1.qcow2']);
    expect((await site.vcsim.control()).snapshots).toEqual([]);
  });
});
