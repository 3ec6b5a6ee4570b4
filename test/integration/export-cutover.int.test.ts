/** What an export does with the power of its source, and what it says of the way back. */
import { JobError } from '@hyper2kvm/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { messagesOf } from './export-setup.js';
import { Site, stoppedOnceMoving } from './export-site.js';

const MIB = 2 ** 20;
let site: Site;

beforeAll(async () => {
  site = await Site.start((disk) => [
    { name: 'running', power_state: 'poweredOn', tools: 'running' },
    { name: 'polite', power_state: 'poweredOn', tools: 'running' },
    { name: 'deaf', power_state: 'poweredOn', tools: 'running', guest_shutdown: 'ignored' },
    { name: 'bare', power_state: 'poweredOn' },
    { name: 'stubborn', power_state: 'poweredOn' },
    { name: 'doomed', power_state: 'poweredOn', disks: [{ capacity_bytes: 90 * MIB, vmdk: disk.vmdk }] },
  ]);
});

afterAll(async () => {
  await site?.stop();
});

beforeEach(async () => {
  await site.rates(0);
});

describe('the source’s power', () => {
  const goBack =
    /To go back, switch the source VM \w+ on again in vCenter; it and the copy must not run at the same time/;

  test('is kept by default, with a warning', async () => {
    const { exported, recorded } = await site.done(site.request('running'));
    expect(await site.powerOf('running')).toBe('poweredOn');
    const warning = 'VM running was running during the export: what it writes after the snapshot is not in the copy';
    expect(exported.artifact.concerns).toEqual([warning]);
    expect(recorded.log).toContainEqual({ level: 'warn', message: warning });
  });

  test.each([
    { vm: 'polite', says: 'VM polite has shut down' },
    { vm: 'deaf', says: 'The guest of VM deaf has not shut down within 1 s; the VM is switched off' },
    { vm: 'bare', says: /^The guest of VM bare cannot be asked to shut down .*the VM is switched off$/ },
  ])('shutdown: $vm', async ({ vm, says }) => {
    const { exported, recorded } = await site.done(
      site.request(vm, { source_power: 'shutdown' }),
      vm === 'deaf' ? { shutdownTimeoutMs: 1_000 } : {},
    );
    expect(await site.powerOf(vm)).toBe('poweredOff');
    expect(messagesOf(recorded)).toContainEqual(typeof says === 'string' ? says : expect.stringMatching(says));
    expect(exported.artifact.concerns).toEqual([expect.stringMatching(goBack)]);
  });

  test('off: a failure says that the VM is off, and how to go back', async () => {
    const { error, request } = await site.run(site.request('doomed', { source_power: 'off' }));
    expect(error).toMatchObject({ code: 'EXPORT_CORRUPT' });
    expect((error as JobError).message).toMatch(/The source VM doomed was switched off for this job\. /);
    expect((error as JobError).message).toMatch(goBack);
    expect(await site.powerOf('doomed')).toBe('poweredOff');
    await site.expectNothingLeft(request);
  });

  test('off: what cannot be switched off is not exported', async () => {
    await site.vcsim.change({ fail: { method: 'PowerOffVM_Task', fault: 'NoPermission' } });
    const { error } = await site.run(site.request('stubborn', { source_power: 'off' }));
    expect(error).toMatchObject({ code: 'VM_POWER' });
    expect((await site.vcsim.control()).snapshots).toEqual([]);
  });

  test('begun again, it does not ask twice, and a snapshot of a VM that ran since is not used', async () => {
    const request = site.request('stubborn', { source_power: 'off' });
    await site.rates(30_000);
    const recorded = stoppedOnceMoving('shutdown');
    await site.run(request, {}, recorded);
    expect(await site.powerOf('stubborn')).toBe('poweredOff');
    await site.rates(0);
    const soap = await site.login();
    await soap.call('PowerOnVM_Task', await site.vmRef('stubborn'));

    const { exported, recorded: again } = await site.done({ ...request, epoch: 2 });
    expect(messagesOf(again)).toContain('VM stubborn was switched off');
    expect(messagesOf(again)).toContainEqual(expect.stringContaining('the VM was running after it was taken'));
    expect(exported.artifact.concerns).toEqual([expect.stringMatching(goBack)]);
    expect((await site.vcsim.control()).snapshots).toEqual([]);
  });
});
