import type { EventDefinition } from './define.js';
import { conversionCompleted, conversionFailed, conversionRequested, conversionStarted } from './conversion.js';
import {
  cleanupCompleted,
  cleanupFailed,
  cleanupRequested,
  importCompleted,
  importFailed,
  importRequested,
  hookCompleted,
  hookFailed,
  hookRequested,
  verifyCompleted,
  verifyFailed,
  verifyRequested,
} from './tasks.js';
import { exportCompleted, exportFailed, exportRequested, exportStarted } from './export.js';
import {
  batchCompleted,
  jobCancelled,
  jobCompleted,
  jobCreated,
  jobFailed,
  jobLog,
  jobProgress,
  jobReprioritised,
  jobRetried,
} from './job.js';

/** Every event there is, by its CloudEvents type. */
export const CATALOGUE: ReadonlyMap<string, EventDefinition> = new Map(
  [
    exportRequested,
    exportStarted,
    exportCompleted,
    exportFailed,
    conversionRequested,
    conversionStarted,
    conversionCompleted,
    conversionFailed,
    cleanupRequested,
    cleanupCompleted,
    cleanupFailed,
    verifyRequested,
    verifyCompleted,
    verifyFailed,
    importRequested,
    importCompleted,
    importFailed,
    hookRequested,
    hookCompleted,
    hookFailed,
    jobCreated,
    jobRetried,
    jobReprioritised,
    jobCompleted,
    jobFailed,
    jobCancelled,
    batchCompleted,
    jobProgress,
    jobLog,
  ].map((definition): [string, EventDefinition] => [definition.type, definition]),
);
