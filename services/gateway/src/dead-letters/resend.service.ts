import {
  CATALOGUE,
  HookId,
  JobError,
  JobId,
  type CommandDefinition,
  type DeadLetterResent,
  type EventDefinition,
} from '@hyper2kvm/contracts';
import { activityOf, Claims, type StoredLetter } from '@hyper2kvm/runtime';
import { Injectable } from '@nestjs/common';
import { JobActions } from '../jobs/index.js';
import { DeadLetters } from './dead-letters.service.js';

/** What to do where the task itself cannot be repeated, by the first token of its activity. */
const INSTEAD: Readonly<Record<string, (id: string) => string>> = {
  cleanup: (id) =>
    `a clean-up that failed is repeated by itself until it is given up; hyperctl status --job ${id} shows how far it is`,
  verify: (id) => `ask for another: hyperctl verify --job ${id}`,
  import: (id) => `ask for another: hyperctl import --job ${id}`,
  hook: () => 'it runs again when its job is tried again, or its batch resumed',
};

/**
 * Has a dead letter handled again, and deletes it.
 *
 * What a worker gave up has an end already: its record is done, and the message alone would only repeat that end. So the job
 * of an export or a conversion is tried again, which makes a new command. Facts, and tasks that never began, are published
 * anew as they were.
 */
@Injectable()
export class Resending {
  constructor(
    private readonly letters: DeadLetters,
    private readonly claims: Claims,
    private readonly jobs: JobActions,
  ) {}

  /** @throws JobError NOT_FOUND, STATE_CONFLICT, VM_BUSY */
  async resend(id: string, by: string): Promise<DeadLetterResent> {
    const letter = await this.letters.get(id);
    const { subject } = letter;
    const definition = [...CATALOGUE.values()].find(({ name }) => subject.startsWith(`${name}.`));
    if (definition === undefined)
      throw new JobError('STATE_CONFLICT', `This version knows nobody who handles ${subject}: drop it.`);
    const about = subject.split('.').at(-1) ?? '';
    const answer =
      definition.kind === 'command' && definition.stream === 'by lane'
        ? await this.#retry(about, by)
        : await this.#republish(definition, letter, about);
    await this.letters.store.drop(letter.seq);
    return answer;
  }

  async #retry(jobId: string, by: string): Promise<DeadLetterResent> {
    if (!JobId.safeParse(jobId).success)
      throw new JobError('STATE_CONFLICT', `It names no job that could be tried again (${jobId}): drop it.`);
    try {
      await this.jobs.retry(jobId, { options: {} }, by);
    } catch (error) {
      if (!(error instanceof JobError)) throw error;
      if (error.code === 'JOB_NOT_FOUND')
        throw new JobError('NOT_FOUND', `Its job ${jobId} is not there any more: drop it.`, { cause: error });
      if (error.code === 'STATE_CONFLICT')
        throw new JobError('STATE_CONFLICT', `${error.message} Only a failed job is tried again: drop the message.`, {
          cause: error,
        });
      throw error;
    }
    return { action: 'retried', message: `${jobId} is tried again.` };
  }

  async #republish(definition: EventDefinition, letter: StoredLetter, about: string): Promise<DeadLetterResent> {
    if (letter.data === null)
      throw new JobError('STATE_CONFLICT', 'It was too large to be kept: only its headers are there. Drop it.');
    if (definition.kind === 'command') await this.#assertUndone(definition as CommandDefinition, about);
    await this.letters.store.republish(letter);
    return { action: 'republished', message: `Published to ${letter.subject} again.` };
  }

  async #assertUndone(command: CommandDefinition, id: string): Promise<void> {
    if (!JobId.safeParse(id).success && !HookId.safeParse(id).success) return;
    const activity = activityOf(command);
    const found = await this.claims.get(activity, id);
    if (found === undefined || (found.record.done === null && !found.record.cancelled)) return;
    const end = found.record.cancelled ? 'was cancelled' : 'has its end';
    const instead = INSTEAD[activity]?.(id) ?? 'drop the message';
    throw new JobError(
      'STATE_CONFLICT',
      `The ${activity} of ${id} ${end}, the message would change nothing: ${instead}.`,
    );
  }
}
