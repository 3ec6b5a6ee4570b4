/** What templates may say. The page docs/notifications.md lists the same. */
export interface Variable {
  readonly about: string;
  /** It is a section, for one thing or for each of a list: these are the names within. */
  readonly of?: Variables;
}
export type Variables = Readonly<Record<string, Variable>>;

const LINES: Variables = { '.': { about: 'the line' } };
const text = (about: string): Variable => ({ about });
const lines = (about: string): Variable => ({ about, of: LINES });

const PROOF: Variables = {
  seconds: text('how long it took, `47s`'),
  hostname: text('as the guest calls itself'),
  kernel: text('release of its kernel'),
  addresses: text('of its network interfaces'),
  failed_units: text('units of systemd that failed'),
  serial_log: text('path of the serial log'),
  screenshot: text('path of the screenshot'),
};

const JOB: Variables = {
  headline: text('what happened, one sentence'),
  completed: text('whether it was converted'),
  failed: text('whether it failed'),
  cancelled: text('whether it was cancelled'),
  vm_name: text('the VM'),
  job_id: text('the job'),
  batch_id: text('its batch'),
  priority: text('`high`, `normal` or `low`'),
  tags: text('its tags, with commas'),
  trace_id: text('its trace'),
  time: text('when it ended, RFC 3339'),
  duration: text('from asked for to ended, `12m 57s`'),
  commands: lines('commands of `hyperctl` and `virsh` that go on from here'),
  guest: text('operating system; completed'),
  size: text('of its disks, `220.1 GB`; completed'),
  disks: text('`2 disks`; completed'),
  downloaded: text('`74.4 GB`; completed'),
  output_dir: text('where its files are; completed'),
  files: lines('its files; completed'),
  libvirt_domain: text('as it was defined; completed'),
  has_concerns: text('whether there are any; completed'),
  concerns: lines('what somebody should look at; completed'),
  proven: text('whether it was seen to boot; completed'),
  proof: { about: 'the boot proof, where there was one; completed', of: PROOF },
  phase: text('`export`, `conversion`; failed'),
  step: text('of the phase; failed'),
  error_code: text('`GUEST_NO_OS`; failed'),
  error_title: text('what the code means; failed'),
  error: text('what happened; failed'),
  error_file: text('path of its report; failed'),
  advice: text('what to try; failed'),
  attempts: text('how often it was tried; failed'),
  cancelled_by: text('who cancelled it; cancelled'),
};

const BATCH: Variables = {
  headline: text('what happened, one sentence'),
  outcome: text('`47 of 50 VMs converted, 2 failed, 1 cancelled`'),
  batch_id: text('the batch'),
  batch_name: text('its name, or its id where it has none'),
  total: text('its VMs, a number'),
  completed: text('of these converted'),
  failed: text('of these failed'),
  cancelled: text('of these cancelled'),
  requested_by: text('who asked for it'),
  time: text('when it ended, RFC 3339'),
  duration: text('from asked for to ended'),
  commands: lines('commands of `hyperctl` that go on from here'),
};

const DIGEST: Variables = {
  headline: text('what happened, one sentence'),
  outcome: text('`12 of 15 VMs converted, 3 failed`'),
  quiet_hours: text('whether they are why it comes together'),
  batch: { about: 'the batch, when it is through', of: BATCH },
  batch_id: text('the batch that all belong to'),
  total: text('jobs in this message, a number'),
  completed: text('of these converted'),
  failed: text('of these failed'),
  cancelled: text('of these cancelled'),
  failed_jobs: { about: 'each of these, up to 200', of: JOB },
  failed_more: text('how many more there are'),
  completed_jobs: { about: 'each of these, up to 200', of: JOB },
  completed_more: text('how many more there are'),
  cancelled_jobs: { about: 'each of these, up to 200', of: JOB },
  cancelled_more: text('how many more there are'),
  batches: { about: 'other batches that came to their end', of: BATCH },
  time: text('of this message, RFC 3339'),
  commands: lines('commands of `hyperctl` that go on from here'),
};

const TEST: Variables = { headline: text('that this is a test'), time: text('RFC 3339') };

/** By message. */
export const VARIABLES = {
  'job.completed': JOB,
  'job.failed': JOB,
  'job.cancelled': JOB,
  'batch.completed': BATCH,
  digest: DIGEST,
  test: TEST,
} satisfies Record<string, Variables>;
export type MessageName = keyof typeof VARIABLES;
