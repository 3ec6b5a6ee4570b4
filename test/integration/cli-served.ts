import type { ServerResponse } from 'node:http';
import { JOB_ID } from '../support/cli-samples.js';
import { hyperctl, json, StandIn } from './cli-standin.js';

/** A stand-in for the gateway with hyperctl bound to it. One at a time: serving anew, and `stop`, end the one before. */
export class Served {
  #standIn: StandIn | undefined;

  get requests(): StandIn['requests'] {
    return this.#standIn?.requests ?? [];
  }

  /** Answers by method and path; `$JOB` is the job's path. */
  async serve(answer: (call: string, response: ServerResponse, body: unknown) => void): Promise<StandIn> {
    await this.stop();
    const standIn: StandIn = new StandIn((path, request, response) => {
      const call = `${request.method} ${path.replace(`/api/v1/jobs/${JOB_ID}`, '$JOB')}`;
      answer(call, response, standIn.requests.at(-1)?.body);
    });
    this.#standIn = await standIn.start();
    return standIn;
  }

  get url(): string {
    return this.#standIn?.url ?? '';
  }

  run(...args: string[]): ReturnType<typeof hyperctl> {
    return hyperctl(args, { HYPER2KVM_URL: this.url });
  }

  /** What was asked so far: `GET /api/v1/jobs/ID`. */
  get calls(): string[] {
    return this.requests.map(({ method, path }) => `${method} ${path.replace(JOB_ID, 'ID')}`);
  }

  async stop(): Promise<void> {
    await this.#standIn?.stop();
  }
}

/** Refuses as the gateway does. */
export const refuse = (response: ServerResponse, status: number, code: string): void =>
  json(response, status, {
    type: 'about:blank',
    title: code,
    status,
    detail: 'it is like this',
    code,
    advice: 'try this',
  });

/** An event stream that holds the end of a job alone. */
export const endStream = (response: ServerResponse, job: object): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(`event: end\ndata: ${JSON.stringify(job)}\n\n`);
};
