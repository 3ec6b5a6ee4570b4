/** What the schemas alone do not say of a sensible request: which names exist, and what goes together. */
import * as fc from 'fast-check';
import { Known, type Knowledge } from '../support/openapi/index.js';

const pooled = (pool: string): fc.Arbitrary<Known> => fc.nat().map((index) => new Known(pool, index));

/** The workers of the test go by the name: see gateway-contract-world. */
const vmName = fc
  .tuple(
    fc.constantFrom('ok', 'ok', 'ok', 'fail', 'slow', 'missing', 'web/ok', 'dé büg', "o'k"),
    fc.oneof({ weight: 6, arbitrary: fc.nat(1e9) }, { weight: 1, arbitrary: fc.nat(2) }),
  )
  .map(([word, number]) => `${word}-${number}`);

const moment = fc
  .integer({ min: -1000, max: 1000 })
  .map((hours) => new Date(Date.now() + hours * 3_600_000).toISOString());

/** By the name of a property, or of what holds it and its own. */
const BY_NAME: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  vm_name: vmName,
  'vms.*': vmName,
  not_before: moment,
  since: moment,
  until: moment,
  window: fc.constantFrom(
    'Sat 22:00-06:00 Europe/Berlin',
    'Mon-Fri 20:00-22:00 UTC; Sun 00:00-24:00 UTC',
    'daily 01:00-05:00',
  ),
  target: fc.constantFrom('kvm1', 'kvm1', 'nowhere'),
  server: fc.oneof(fc.constantFrom('vc.example.com', 'vc2.example.com:8443'), pooled('connection')),
  ca_pem: fc.constant('-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'),
  name: fc.stringMatching(/^[a-z]{3,8}-\d{1,6}$/),
  batch: pooled('batch.any'),
  caller: fc.constantFrom('config', 'local', 'unknown'),
  action: fc.constantFrom('convert', 'cancel', 'createToken', 'login'),
  'audit.target': pooled('job.any'),
  'jobs.status': fc
    .subarray(['pending', 'exporting', 'exported', 'completed', 'failed', 'cancelled'], { minLength: 1 })
    .map((some) => some.join(',')),
  'jobs.vm': vmName,
  'queue.job_id': fc.constant(undefined),
  tail: fc.integer({ min: 1, max: 10_000 }),
  after: fc.nat(100_000),
  limit: fc.integer({ min: 1, max: 500 }),
  follow: fc.constantFrom('true', 'false'),
  path: fc.constantFrom('/images/a.vmdk', '/images/b.qcow2', '/images/a b.ova'),
  root: fc.constantFrom('/dev/sda1', '/dev/vg0/root'),
  thumbprint: fc.constant(Array.from({ length: 32 }, () => 'ab').join(':')),
  key_base64: fc.constant('c2VjcmV0'),
};

/** Which of the things that exist suits an operation. */
const JOBS: Readonly<Record<string, string>> = {
  cancel: 'job.live',
  retry: 'job.failed',
  verify: 'job.exported',
  verification: 'job.verified',
  import: 'job.completed',
  queue: 'job.resting',
  patchJob: 'job.live',
};
const BATCHES: Readonly<Record<string, string>> = {
  patchBatch: 'batch.live',
  cancelBatch: 'batch.live',
  resumeBatch: 'batch.stopped',
};

interface BatchBody {
  vms?: unknown;
  waves?: { name: string; after?: string[] }[];
}

export const contractKnowledge: Knowledge = {
  pool: (operation, { name, in: place }) => {
    if (place === 'query') return name === 'cursor' ? `cursor.${operation.id}` : undefined;
    if (operation.path.startsWith('/api/v1/jobs/{')) return JOBS[operation.id] ?? 'job.any';
    if (operation.path.startsWith('/api/v1/batches/{')) return BATCHES[operation.id] ?? 'batch.any';
    if (operation.path.startsWith('/api/v1/workers/{')) return 'worker';
    if (operation.path.startsWith('/api/v1/dead-letters/{')) return 'dead-letter';
    if (operation.path.startsWith('/api/v1/tokens/{')) return 'token';
    if (operation.path.startsWith('/api/v1/vcenters/{')) return 'connection';
    return undefined;
  },
  hints: (path) => {
    const last = path.at(-1) ?? '';
    return BY_NAME[path.slice(-2).join('.')] ?? (Object.hasOwn(BY_NAME, last) ? BY_NAME[last] : undefined);
  },
  sense: (operation, body) => {
    // Whoever says where to says how.
    if (operation.id === 'testNotifications' && typeof body === 'object') return { channel: 'email', ...body };
    if (operation.id !== 'createBatch' || typeof body !== 'object' || body === null) return body;
    const { vms, waves, ...rest } = body as BatchBody;
    if (waves === undefined) return { ...rest, vms: vms ?? ['ok-1-of-batch'] };
    const named = waves.map((wave, index) => ({
      ...wave,
      name: `wave-${index}`,
      after: index > 0 && wave.after !== undefined ? [`wave-${index - 1}`] : [],
    }));
    return { ...rest, waves: named };
  },
};
