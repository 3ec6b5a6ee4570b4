import type { Machine } from '@hyper2kvm/contracts';
import type { PreparedSource } from '../sources/index.js';
import type { Bandwidth } from './bandwidth.js';
import type { JobFolder } from './job-folder.js';
import type { Journal } from './journal.js';
import type { ExportPorts, ExportRequest } from './ports.js';
import type { ProgressMeter } from './progress-meter.js';
import type { ExportSettings } from './settings.js';

/** What the transfers of one export's disks share. */
export interface ExportContext {
  readonly request: ExportRequest;
  readonly settings: ExportSettings;
  readonly ports: ExportPorts;
  readonly folder: JobFolder;
  readonly journal: Journal;
  readonly machine: Machine;
  readonly source: PreparedSource;
  readonly bandwidth: Bandwidth;
  readonly meter: ProgressMeter;
}
