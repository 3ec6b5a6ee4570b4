import type { Message, Outcome } from './channel.js';

type Send = (targets: readonly string[]) => Promise<readonly Outcome[]>;

/** Sends under way: the same message to the same target, asked for again meanwhile, joins the first and is sent once. */
export class UnderWay {
  readonly #sends = new Map<string, Promise<Outcome>>();

  /** One outcome for each target, in their order. */
  async join(message: Message, targets: readonly string[], send: Send): Promise<readonly Outcome[]> {
    const keyed = [...new Set(targets)].map((target) => ({ target, key: `${message.id} ${target}` }));
    const fresh = keyed.filter(({ key }) => !this.#sends.has(key));
    if (fresh.length > 0) {
      const sending = settled(
        fresh.map(({ target }) => target),
        send,
      );
      for (const [at, { key }] of fresh.entries())
        this.#sends.set(
          key,
          sending.then((outcomes) => outcomes[at] as Outcome).finally(() => this.#sends.delete(key)),
        );
    }
    return Promise.all(keyed.map(({ key }) => this.#sends.get(key) as Promise<Outcome>));
  }
}

/** What was not foreseen is no reason to lose a message. */
async function settled(targets: readonly string[], send: Send): Promise<readonly Outcome[]> {
  let outcomes: readonly Outcome[] = [];
  let reason = 'nothing was heard of it';
  try {
    outcomes = await send(targets);
  } catch (error) {
    reason = (error as Error).message;
  }
  return targets.map(
    (target) => outcomes.find((outcome) => outcome.target === target) ?? { target, result: 'later', reason },
  );
}
