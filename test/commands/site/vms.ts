/**
 * VMs of the simulated vCenter, all in DC0 with one small disk. A test takes VMs of its own, so that tests can run side by side:
 * add their names here. What befalls them is in the name: `broken` fails in its conversion, `slow` converts for about 20 s,
 * `stuck` converts until it is cancelled.
 */
export const VMS = [
  'list-1',
  'list-2-broken',
  'stats-1',
  'stats-2-broken',
  'timeline-1-broken',
  'workers-show-1-stuck',
  'audit-1',
  'batches-cancel-1-stuck',
  'batches-cancel-2',
  'batches-list-1',
  'batches-report-1',
  'batches-report-2-broken',
  'batches-resume-1-broken',
  'batches-resume-2',
  'batches-set-1',
  'batches-show-1',
  'batches-watch-1',
  'batches-watch-2-broken',
  'errors-web-01',
  'errors-web-02',
  'errors-3-broken',
  'cancel-1-stuck',
  'cancel-2',
  'priority-1',
  'bandwidth-1',
  'inspect-1',
  // Of the design document's examples.
  'web-server-01',
  'web-server-02',
  'db-server-primary',
  'db-server-standby',
  'production-db',
] as const;
