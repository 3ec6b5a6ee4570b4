import { Counter, Summary, registry } from '@hyper2kvm/runtime';

/** Names as administrators of the predecessor know them. */
export const exportsTotal = new Counter({
  name: 'hypervisord_exports_total',
  help: 'Exports that ended, by outcome',
  labelNames: ['status'],
  registers: [registry],
});

export const exportDuration = new Summary({
  name: 'hypervisord_export_duration_seconds',
  help: 'Duration of successful exports',
  percentiles: [0.5, 0.9, 0.99],
  registers: [registry],
});

export const bytesDownloaded = new Counter({
  name: 'hypervisord_bytes_downloaded_total',
  help: 'Bytes that came for disks that were finished, by transport (nfc, datastore, file)',
  labelNames: ['transport'],
  registers: [registry],
});
