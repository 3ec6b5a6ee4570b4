/** A scrape waits no longer than this for the answer. */
const LIMIT_MS = 2_000;
/** An answer serves all who ask within this time. */
const FRESH_MS = 2_000;
/** Nor is a question asked again before so many times as long as it took: it keeps no server busy for more than 4 % of the time. */
const REST = 25;
/** An answer that has not come by then, in limits, will not come: its connection is dead. */
const GIVEN_UP = 10;

/**
 * A question about state that processes share (a database, a bus), for figures that are read at scrapes: asked once for all who
 * want the answer at the same time or soon after, however many scrape, and never twice at once.
 * @returns asks; rejects when there is no answer, or none in time
 */
export function sharedState<T>(
  ask: () => Promise<T>,
  { limitMs = LIMIT_MS, freshMs = FRESH_MS }: { limitMs?: number; freshMs?: number } = {},
): () => Promise<T> {
  let asked: { readonly answer: Promise<T>; until: number } | undefined;
  return () => {
    if (asked === undefined || performance.now() >= asked.until) {
      const began = performance.now();
      const question = { answer: Promise.resolve().then(ask), until: began + GIVEN_UP * limitMs };
      asked = question;
      question.answer.then(
        () => {
          const now = performance.now();
          question.until = now + Math.max(freshMs, REST * (now - began));
        },
        () => {
          if (asked === question) asked = undefined;
        },
      );
    }
    return inTime(asked.answer, limitMs);
  };
}

/** @throws when there is no answer by then; it may come later, to nobody */
export async function inTime<T>(answer: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
