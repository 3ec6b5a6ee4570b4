import type { CommandDefinition, EventDefinition } from './events/define.js';
import type { Lane } from './words.js';

/** `export.requested.high.any.job-abc123`; of a task `task.cleanup.any.job-abc123` */
export const commandSubject = (command: CommandDefinition, lane: Lane, pool: string, jobId: string): string =>
  command.stream === 'TASKS' ? `${command.name}.${pool}.${jobId}` : `${command.name}.${lane}.${pool}.${jobId}`;

/** `export.completed.job-abc123` */
export const factSubject = (fact: EventDefinition, id: string): string => `${fact.name}.${id}`;
