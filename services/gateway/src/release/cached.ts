/** Asks no more often than every so many milliseconds, and once for all who ask meanwhile. */
export function cached<T>(ms: number, ask: () => Promise<T>): () => Promise<T> {
  let known: { readonly at: number; readonly answer: Promise<T> } | undefined;
  return () => {
    const now = performance.now();
    if (known !== undefined && now - known.at < ms) return known.answer;
    const answer = ask();
    const asked = { at: now, answer };
    known = asked;
    answer.catch(() => {
      if (known === asked) known = undefined;
    });
    return answer;
  };
}
