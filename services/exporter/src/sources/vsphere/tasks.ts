import { setTimeout as sleep } from 'node:timers/promises';
import { AnswerError, localizedFault } from './faults.js';
import { readProperties } from './properties.js';
import type { VimSession } from './session.js';
import type { CallOptions } from './soap-http.js';
import { child, ref, text, type Ref } from './values.js';

const POLL_MS = [50, 100, 250, 500, 1_000, 2_000];

/** Waits for a task and gives its result. @throws VimFault of the task; AnswerError after the limit */
export async function waitForTask(
  session: VimSession,
  task: Ref | undefined,
  limitMs: number,
  options: CallOptions = {},
): Promise<Ref | undefined> {
  if (task === undefined) throw new AnswerError('it started no task');
  const deadline = performance.now() + limitMs;
  for (let poll = 0; ; poll++) {
    const { info } = await readProperties(session, task, ['info'], options);
    const state = text(info, 'state');
    if (state === 'success') return ref(child(info, 'result'));
    if (state === 'error') throw localizedFault(child(info, 'error'));
    if (performance.now() > deadline)
      throw new AnswerError(`its task ${task.id} did not end within ${Math.round(limitMs / 1000)} s`);
    await sleep(POLL_MS[Math.min(poll, POLL_MS.length - 1)], undefined, { signal: options.signal });
  }
}
