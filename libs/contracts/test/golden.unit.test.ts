import { readdirSync, readFileSync } from 'node:fs';
import { CATALOGUE, REQUESTS } from '@hyper2kvm/contracts';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type JsonObject = { [key: string]: Json };

const FOLDER = new URL('golden/', import.meta.url);
const golden = (name: string): JsonObject =>
  JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8')) as JsonObject;

/** Everything that crosses a process border, with the name of its sample. */
const SCHEMAS: ReadonlyMap<string, z.ZodType> = new Map<string, z.ZodType>([
  ...[...CATALOGUE].map(([type, { schema }]): [string, z.ZodType] => [type, schema]),
  ...[...REQUESTS.values()].flatMap(({ subject, request, reply }): [string, z.ZodType][] => [
    [`${subject}.request`, request],
    [`${subject}.reply`, reply],
  ]),
]);

/** Top-level keys that a sender of this version always writes, as they were when the version was published. */
const REQUIRED: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    'export.requested.v1': 'job_id attempt generation lane pool vm_name source',
    'export.started.v1': 'job_id attempt worker started_at machine',
    'export.completed.v1': 'job_id attempt worker artifact artifact_dir pool bytes_downloaded duration_seconds',
    'export.failed.v1': 'job_id attempt worker failure',
    'conversion.requested.v1': 'job_id attempt generation lane pool vm_name artifact_dir options requested_at',
    'conversion.started.v1': 'job_id attempt worker started_at',
    'conversion.completed.v1':
      'job_id attempt worker vm_name output_dir files disks domain_xml manifest duration_seconds modifications guest concerns',
    'conversion.failed.v1': 'job_id attempt worker failure',
    'task.cleanup.v1': 'job_id attempt generation lane pool vm_name source remove_files',
    'cleanup.completed.v1': 'job_id attempt worker removed_snapshots removed_files',
    'cleanup.failed.v1': 'job_id attempt worker failure',
    'task.verify.v1': 'job_id attempt generation lane pool folder',
    'verify.completed.v1': 'job_id attempt worker identical files verified_at duration_seconds',
    'verify.failed.v1': 'job_id attempt worker failure',
    'task.import.v1': 'job_id attempt generation lane pool folder',
    'import.completed.v1': 'job_id attempt worker libvirt_domain libvirt_uri defined started concerns',
    'import.failed.v1': 'job_id attempt worker failure',
    'task.hook.v1': 'job_id attempt generation lane pool hook about',
    'hook.completed.v1': 'job_id attempt worker code output duration_seconds',
    'hook.failed.v1': 'job_id attempt worker failure',
    'exporter.check-vcenter.request': 'source',
    'exporter.check-vcenter.reply': 'product api_version privileges',
    'exporter.local-disks.request': 'source vm_name',
    'exporter.local-disks.reply': 'disks',
    'converter.inspect-disks.request': 'disks machine',
    'converter.inspect-disks.reply': 'guest engine changes concerns seconds',
    'converter.check-target.request': 'machine vm_name',
    'converter.check-target.reply': 'problems concerns output_free_bytes work_free_bytes',
    'job.created.v1': 'job_id vm_name priority created_at requested_by tags',
    'job.retried.v1': 'job_id vm_name retry_count from',
    'job.reprioritised.v1': 'job_id vm_name priority',
    'job.completed.v1': 'job_id vm_name priority tags created_at completed_at bytes_downloaded result',
    'job.failed.v1': 'job_id vm_name priority tags created_at completed_at phase failure retry_count retry_available',
    'job.cancelled.v1': 'job_id vm_name cancelled_by',
    'batch.completed.v1': 'batch_id completed failed cancelled',
    'job.progress.v1': 'job_id attempt phase time percent_complete',
    'job.log.v1': 'job_id time level phase message',
    'exporter.describe-vm.request': 'source vm_name',
    'exporter.describe-vm.reply': 'name cpus memory_bytes firmware disks nics',
    'notifier.test.request': '',
    'notifier.test.reply': 'results',
    'notifier.status.request': '',
    'notifier.status.reply': 'channels rules quiet_hours quiet_until',
    'exporter.list-vms.request': 'source',
    'exporter.list-vms.reply': 'vms total',
  }).map(([name, keys]) => [name, keys.split(' ').filter((key) => key !== '')]),
);

/** The same value with an unknown key in every object, however deep. */
function widened(value: Json): Json {
  if (Array.isArray(value)) return value.map(widened);
  if (value === null || typeof value !== 'object') return value;
  return {
    ...Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, widened(inner)])),
    added_by_a_newer_version: { any: ['thing'] },
  };
}

describe('golden samples', () => {
  it('there is one for everything on the wire, and none without a schema', () => {
    const samples = readdirSync(FOLDER).map((file) => file.replace(/\.json$/, ''));
    expect(samples.toSorted()).toEqual([...SCHEMAS.keys()].toSorted());
    expect([...REQUIRED.keys()].toSorted()).toEqual([...SCHEMAS.keys()].toSorted());
  });

  describe.each([...SCHEMAS])('%s', (name, schema) => {
    it('parses, and comes back unchanged', () => {
      expect(schema.parse(golden(name))).toEqual(golden(name));
    });

    it('takes additional keys of a newer sender, and ignores them', () => {
      expect(schema.parse(widened(golden(name)))).toEqual(golden(name));
    });

    it('holds every optional key too, so that a renamed one is noticed', () => {
      const shape = (schema as z.ZodObject).shape;
      expect(Object.keys(golden(name)).toSorted()).toEqual(Object.keys(shape).toSorted());
    });

    it('needs what it always needed, and nothing more', () => {
      for (const key of Object.keys(golden(name))) {
        const { [key]: _removed, ...rest } = golden(name);
        const refused = !schema.safeParse(rest).success;
        expect(refused, `without ${key}`).toBe(REQUIRED.get(name)?.includes(key));
      }
    });
  });
});
