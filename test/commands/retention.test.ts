import { afterAll, beforeAll, expect, it } from 'vitest';
import { startOwnFleet, type OwnFleet } from './own-fleet.js';

let fleet: OwnFleet;
beforeAll(async () => {
  fleet = await startOwnFleet({}, { gateway: { retention: { jobs_days: 90, artifacts_days: 30 } } });
});
afterAll(() => fleet?.stop());

it('hyperctl retention: what would go, and with --run its removal', async () => {
  const none = await fleet.hyperctl(['retention']);
  expect(none).toMatchObject({ exitCode: 0, stderr: '' });
  expect(none.stdout).toContain('Would remove: 0 jobs, images of 0 jobs, 0 entries of the audit.');
  const [old, young] = [await fleet.client.convert('old'), await fleet.client.convert('young')];
  for (const id of [old, young]) await fleet.client.reaches(id, 'completed');
  await fleet.stack.db.query(`UPDATE jobs SET completed_at = now() - interval '100 days' WHERE id = $1`, [old]);

  const plan = await fleet.hyperctl(['retention']);
  expect(plan.stdout).toMatch(/^Policy: jobs after 90 days, exported images after 30 days, audit /);
  expect(plan.stdout).toMatch(new RegExp(`^job +${old} +old +completed \\d{4}-\\d\\d-\\d\\d$`, 'm'));
  expect(plan.stdout).toMatch(/Would remove: 1 job, .*\nDo it: hyperctl retention --run$/);
  expect((await fleet.client.job(old)).status).toBe('completed');

  const done = await fleet.json<{ dry_run: boolean; jobs: object[] }>(['retention', '--run']);
  expect(done).toMatchObject({ dry_run: false, jobs: [{ job_id: old, vm_name: 'old' }] });
  const gone = await fleet.hyperctl(['status', '--job', old]);
  expect([gone.exitCode, gone.stdout]).toEqual([4, '']);
  expect((await fleet.client.job(young)).status).toBe('completed');
});
