import {
  ACTIVITIES,
  commandSubject,
  laneStream,
  type Activity,
  type CommandDefinition,
  type Lane,
  type StreamName,
} from '@hyper2kvm/contracts';

/** What a command has a worker do: `export.requested` → export, `task.cleanup` → cleanup. */
export function activityOf(command: Pick<CommandDefinition, 'name'>): Activity {
  const tokens = command.name.split('.');
  const activity = ACTIVITIES.find((candidate) => tokens.includes(candidate));
  if (activity === undefined) throw new Error(`${command.name} begins no activity`);
  return activity;
}

/** The stream in which a command waits. */
export const streamOf = (command: CommandDefinition, lane: Lane): StreamName =>
  command.stream === 'by lane' ? laneStream(command.name, lane) : command.stream;

/** The durable consumer of one pool. A lane's stream holds one command alone, the stream of tasks holds them all. */
export const consumerOf = (command: CommandDefinition, pool: string): string =>
  command.stream === 'by lane' ? `workers-${pool}` : `${activityOf(command)}-${pool}`;

/** The subjects of one lane and pool, of all jobs. */
export const filterOf = (command: CommandDefinition, lane: Lane, pool: string): string =>
  commandSubject(command, lane, pool, '>');

/** Whether a waiting message is of this command. */
export const isOf = (command: CommandDefinition, subject: string): boolean => subject.startsWith(`${command.name}.`);
