import type { EventDefinition } from './events/define.js';
import type { Lane } from './words.js';

/** `export.requested.high.any.job-abc123` */
export const commandSubject = (command: EventDefinition, lane: Lane, pool: string, jobId: string): string =>
  `${command.name}.${lane}.${pool}.${jobId}`;

/** `export.completed.job-abc123` */
export const factSubject = (fact: EventDefinition, id: string): string => `${fact.name}.${id}`;
