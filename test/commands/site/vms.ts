/**
 * VMs of the simulated vCenter, all in DC0 with one small disk. A test takes VMs of its own, so that tests can run side by side:
 * add their names here. What befalls them is in the name: `broken` fails in its conversion, `slow` converts for about 20 s,
 * `stuck` converts until it is cancelled.
 */
export const VMS = [
  'list-1',
  'list-2-broken',
  // Of the design document's examples.
  'web-server-01',
  'web-server-02',
  'db-server-primary',
  'db-server-standby',
  'production-db',
] as const;
