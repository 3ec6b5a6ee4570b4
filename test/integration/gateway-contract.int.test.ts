/**
 * The API is what its OpenAPI document says: thousands of requests made from the document's own schemas, sensible and not, to a
 * gateway with workers. HYPER2KVM_CONTRACT_SEED repeats a run, HYPER2KVM_CONTRACT_RUNS makes it longer.
 */
import * as fc from 'fast-check';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ApiDocument, Exchanger, requestsOf, type ApiRequest, type Exchange } from '../support/openapi/index.js';
import { contractKnowledge } from './gateway-contract-knowledge.js';
import { ContractWorld } from './gateway-contract-world.js';

const RUNS = Number(process.env['HYPER2KVM_CONTRACT_RUNS'] ?? 2200);
const SEED = Number(process.env['HYPER2KVM_CONTRACT_SEED'] ?? 20_260_117);
const LEAST_SUCCESSES = 0.4;
/** What there is changes with every request: so many times four of them. */
const LOOK_EVERY = 12;
const SIDE_BY_SIDE = 4;

let world: ContractWorld;
let root: Record<string, unknown>;
beforeAll(async () => {
  world = await ContractWorld.start();
  root = (await (await fetch(`${world.url}/openapi.json`)).json()) as Record<string, unknown>;
});
afterAll(async () => world?.stop());

interface Figures {
  sent: number;
  successes: number;
  tookMs: number;
  readonly statuses: Map<number, number>;
}

function report(figures: ReadonlyMap<string, Figures>, seconds: number): string {
  const all = [...figures.values()];
  const sent = all.reduce((sum, { sent: own }) => sum + own, 0);
  const successes = all.reduce((sum, { successes: own }) => sum + own, 0);
  const lines = [...figures].map(([id, { sent: own, successes: good, tookMs, statuses }]) => {
    const by = [...statuses].toSorted(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
    return `  ${id.padEnd(20)} ${String(own).padStart(4)} requests, ${String(Math.round((100 * good) / own)).padStart(3)} % 2xx ${String(Math.round(tookMs / own)).padStart(5)} ms   ${by.join(', ')}`;
  });
  const share = ((100 * successes) / sent).toFixed(1);
  return [`${sent} requests in ${seconds.toFixed(0)} s, ${share} % answered 2xx, seed ${SEED}`, ...lines].join('\n');
}

describe('the API and its document', () => {
  test('the OpenAPI document validates', async () => {
    const { valid, errors } = await new Validator().validate(structuredClone(root));
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
    expect(root['openapi']).toMatch(/^3\.1/);
  });

  test('answers thousands of requests made from it as it says, and never with 500', { timeout: 400_000 }, async () => {
    const document = new ApiDocument(root);
    await world.look();
    const exchanger = new Exchanger(document, {
      url: world.url,
      headers: { authorization: `Bearer ${world.token}` },
      pick: (known) => world.pick(known),
    });
    const figures = new Map<string, Figures>(
      document.operations.map(({ id }) => [id, { sent: 0, successes: 0, tookMs: 0, statuses: new Map() }]),
    );
    /** By operation and kind of problem: the shortest request that shows it. */
    const found = new Map<string, string>();
    const note = ({ operation }: ApiRequest, { status, sent, took, json, problems }: Exchange): void => {
      const own = figures.get(operation.id);
      if (own === undefined) throw new Error(operation.id);
      own.sent += 1;
      own.tookMs += took;
      own.successes += status >= 200 && status < 300 ? 1 : 0;
      own.statuses.set(status, (own.statuses.get(status) ?? 0) + 1);
      world.learn(operation, status, json);
      for (const problem of problems) {
        const kind = `${operation.id}: ${problem.slice(0, 60)}`;
        const shown = `${problem}\n    ${sent}`;
        if (shown.length < (found.get(kind)?.length ?? Infinity)) found.set(kind, shown);
      }
    };
    const started = performance.now();
    let count = 0;
    const some = fc.array(requestsOf(document, contractKnowledge), {
      minLength: SIDE_BY_SIDE,
      maxLength: SIDE_BY_SIDE,
    });
    await fc.assert(
      fc.asyncProperty(some, async (requests) => {
        if (count % LOOK_EVERY === 0) await world.look();
        count += 1;
        await Promise.all(requests.map(async (request) => note(request, await exchanger.send(request))));
      }),
      { numRuns: Math.ceil(RUNS / SIDE_BY_SIDE), seed: SEED, endOnFailure: true },
    );
    process.stdout.write(`${report(figures, (performance.now() - started) / 1000)}\n`);
    const problems = [...found].map(([kind, shown]) => `${kind}\n    ${shown}`);
    expect(problems.join('\n\n')).toBe('');
    expect(world.errors().join('\n')).toBe('');
    const all = [...figures.values()];
    const sent = all.reduce((sum, own) => sum + own.sent, 0);
    const successes = all.reduce((sum, own) => sum + own.successes, 0);
    expect(sent).toBeGreaterThanOrEqual(2000);
    expect(successes / sent).toBeGreaterThanOrEqual(LEAST_SUCCESSES);
    expect([...figures].filter(([, own]) => own.successes === 0).map(([id]) => id)).toEqual([]);
  });
});
