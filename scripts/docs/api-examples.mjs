// An example for each request of the API. The tests of the docs send them.

/** A local stack's gateway. */
export const BASE = 'http://127.0.0.1:8080';

const JOB = 'job-7k2m9x4qa3hd';
const CONNECTION = { server: 'vcenter.example.com', username: 'migration@vsphere.local', password: '…' };

const PATH = {
  job: JOB,
  batch: 'batch-7k2m9x4qa3hd',
  worker: 'kvm01-exporter',
  'dead-letter': '17',
  vcenter: 'prod',
  token: 'ann',
};

/** What stands in the path for `{id}` and `{name}`. */
const subject = (address) =>
  address.includes('/batches/')
    ? PATH.batch
    : address.includes('/workers/')
      ? PATH.worker
      : address.includes('/dead-letters/')
        ? PATH['dead-letter']
        : address.includes('/vcenters/')
          ? PATH.vcenter
          : address.includes('/tokens/')
            ? PATH.token
            : PATH.job;

const QUERY = {
  jobs: 'status=failed&limit=20',
  logs: 'tail=50',
  audit: 'action=convert&limit=20',
  batchReport: 'format=csv',
};

const BODY = {
  convert: {
    vm_name: 'production-db',
    vcenter: { server: 'prod' },
    options: { priority: 'high', notify_email: 'ops@example.com', verify_boot: true },
  },
  inspect: { vm_name: 'production-db', vcenter: { server: 'prod' } },
  export: { vm_name: 'web-01', vcenter: { server: 'prod' } },
  queue: { options: { verify_boot: true } },
  retry: {},
  retryAll: { code: 'CONVERSION_STEP' },
  import: { start: true },
  patchJob: { priority: 'high' },
  createBatch: { name: 'night-1', vcenter: { server: 'prod' }, max_parallel: 3, vms: ['web-01', 'web-02'] },
  patchBatch: { max_parallel: 10 },
  vms: { vcenter: { server: 'prod' }, filter: { name: 'web-*' } },
  patchWorker: { bandwidth_bytes_per_second: 400_000_000 },
  testNotifications: { channel: 'email', to: 'ops@example.com' },
  runRetention: { dry_run: true },
  addVcenter: { name: 'prod', ...CONNECTION },
  updateVcenter: { ...CONNECTION, username: 'hyper2kvm@vsphere.local' },
  createToken: { name: 'ann', role: 'operator' },
};

/** A line for the shell. @throws Error where a request needs a body and has no example */
export function exampleOf({ operationId, method, address, requestBody }) {
  const body = BODY[operationId];
  if (requestBody !== undefined && body === undefined && requestBody.required)
    throw new Error(`scripts/docs/api-examples.mjs has no body for ${operationId}`);
  const path = address.replaceAll(/\{\w+\}/g, () => subject(address));
  const query = QUERY[operationId] === undefined ? '' : `?${QUERY[operationId]}`;
  const url = `${BASE}${path}${query}`;
  const words = ['curl', '-sS', ...(method === 'GET' ? [] : ['-X', method]), query === '' ? url : `'${url}'`];
  if (body === undefined) return words.join(' ');
  return `${words.join(' ')} \\\n  -H 'content-type: application/json' \\\n  -d '${JSON.stringify(body)}'`;
}
