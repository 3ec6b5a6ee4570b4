/** `forbidden`: never to be tried again; the others may help themselves. */
export type HttpCallProblem = 'forbidden' | 'unreachable' | 'timeout';

/** A call that got no answer. Its message names the host, never the path: paths and queries of receivers hold their secrets. */
export class HttpCallError extends Error {
  override readonly name = 'HttpCallError';
  constructor(
    readonly problem: HttpCallProblem,
    message: string,
  ) {
    super(message);
  }
}
