import * as contracts from '@hyper2kvm/contracts';
import { z } from 'zod';
import type { Route } from './route.js';

/** What callers send (where a default need not be given), and what they get. */
export type Direction = 'input' | 'output';

/** Schemas have the names under which the contracts export them. */
const EXPORTED = new Map<unknown, string>(
  Object.entries(contracts as Record<string, unknown>)
    .filter(([, value]) => value instanceof z.ZodType)
    .map(([name, schema]): [unknown, string] => [schema, name])
    // The same schema may have two names; the first of the alphabet is its own.
    .toReversed(),
);

/** The schemas of bodies and answers that get a name of their own in the document. */
export function namesOf(
  routes: readonly Route[],
  problem: z.ZodType,
): Readonly<Record<Direction, ReadonlyMap<z.ZodType, string>>> {
  const input = new Map<z.ZodType, string>();
  const output = new Map<z.ZodType, string>();
  for (const schema of [...routes.flatMap(answers), problem]) put(output, schema);
  // One that goes both ways has two forms.
  for (const { body } of routes) if (body !== undefined) put(input, body, output.has(body) ? 'Input' : '');
  return { input, output };
}

const answers = ({ answer, others }: Route): z.ZodType[] => [
  ...(typeof answer === 'string' ? [] : [answer]),
  ...Object.values(others ?? {}),
];

function put(names: Map<z.ZodType, string>, schema: z.ZodType, suffix = ''): void {
  const name = EXPORTED.get(schema);
  if (name !== undefined) names.set(schema, `${name}${suffix}`);
}
