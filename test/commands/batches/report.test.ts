import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { hyperctl, hyperctlJson } from '../site/index.js';
import { folder, startBatch } from './plan.js';

it('hyperctl batches report: what became of each VM, as table, CSV and JSON', async () => {
  const id = await startBatch('report-night', ['batches-report-1', 'batches-report-2-broken']);
  expect((await hyperctl(['batches', 'watch', id, '-q'])).exitCode).toBe(1);
  const table = await hyperctl(['batches', 'report', 'report-night']);
  expect(table).toMatchObject({ exitCode: 0, stderr: '' });
  expect(table.stdout).toMatch(/^batches-report-1 +completed /m);
  expect(table.stdout).toMatch(/^batches-report-2-broken +failed .*CONVERSION_STEP: dracut failed/m);
  const { vms } = await hyperctlJson<{ vms: object[] }>(['batches', 'report', id]);
  expect(vms).toMatchObject([{ status: 'completed' }, { status: 'failed', error_code: 'CONVERSION_STEP' }]);

  const there = await folder();
  const file = path.join(there, 'night.csv');
  const written = await hyperctl(['batches', 'report', id, '--format', 'csv', '-o', file]);
  expect(written).toEqual({ exitCode: 0, stdout: `Written: ${file}`, stderr: '' });
  expect((await readFile(file, 'utf8')).split('\r\n')[0]).toMatch(/^wave,vm_name,/);
  for (const [wrong, why] of [
    [path.join(there, 'none', 'x.csv'), `there is no folder ${there}/none`],
    [there, 'it is a folder'],
  ] as const) {
    const failed = await hyperctl(['batches', 'report', id, '-o', wrong]);
    expect(failed).toMatchObject({ exitCode: 1, stdout: '' });
    expect(failed.stderr).toMatch(new RegExp(`^Error: ${wrong} cannot be written\n +why: +${why}\n`));
  }
  expect(await readdir(there)).toEqual(['night.csv']);
  expect((await hyperctl(['batches', 'report', 'report-nihgt'])).exitCode).toBe(4);
});
