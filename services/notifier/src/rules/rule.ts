import { Lane } from '@hyper2kvm/contracts';
import { z } from 'zod';
import { batchOf, FACT_NAMES, nameOf, type OutcomeFact } from '../fact.js';

export const FactName = z.enum(FACT_NAMES);

/** Of a rule, a Slack webhook or an endpoint. */
export const Name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'a name of letters, digits, "-" and "_", at most 64');

/** A list with at least one entry: an empty one would be read as "all" by one and as "none" by another. */
const some = <Item extends z.ZodType>(item: Item) => z.array(item).min(1, 'at least one, or leave the key out');

/** Who is told of what, beside those that jobs and batches name themselves. All that is given has to fit. */
export const Rule = z
  .strictObject({
    name: Name,
    facts: some(FactName),
    /** Of jobs: their priority. */
    lanes: some(Lane).optional(),
    /** Of jobs: one of these is enough. */
    tags: some(z.string().min(1)).optional(),
    /** `only` what belongs to a batch, `never` what does, or the batches with these names or ids. */
    batches: z.union([z.enum(['only', 'never']), some(z.string().min(1))]).optional(),
    to: z
      .strictObject({
        email: some(z.email()).optional(),
        slack: some(Name).optional(),
        webhook: some(Name).optional(),
      })
      .refine((to) => Object.values(to).some((names) => names !== undefined), 'email, slack or webhook: at least one'),
    /** Neither gathered for a digest nor held in quiet hours. */
    at_once: z.boolean().default(false),
  })
  .superRefine((rule, context) => {
    if (!rule.facts.includes('batch.completed')) return;
    for (const key of ['lanes', 'tags'] as const)
      if (rule[key] !== undefined)
        context.addIssue({
          code: 'custom',
          path: [key],
          message: `batch.completed has no ${key}: make a rule of its own for it`,
        });
    if (rule.batches === 'never')
      context.addIssue({ code: 'custom', path: ['batches'], message: 'batch.completed always belongs to a batch' });
  });
export type Rule = z.infer<typeof Rule>;

/** Whether a rule is about this fact. */
export function fits(rule: Rule, fact: OutcomeFact): boolean {
  if (!rule.facts.includes(nameOf(fact)) || !fitsBatch(rule.batches, fact)) return false;
  if (fact.kind === 'batch') return true;
  const { priority, tags = [] } = fact.data;
  if (rule.lanes !== undefined && (priority === undefined || !rule.lanes.includes(priority))) return false;
  return rule.tags === undefined || rule.tags.some((tag) => tags.includes(tag));
}

function fitsBatch(wanted: Rule['batches'], fact: OutcomeFact): boolean {
  if (wanted === undefined) return true;
  const id = batchOf(fact);
  if (typeof wanted === 'string') return (id !== undefined) === (wanted === 'only');
  const name = fact.kind === 'batch' ? fact.data.name : fact.data.batch_name;
  return (id !== undefined && wanted.includes(id)) || (name !== undefined && wanted.includes(name));
}

/** A rule in a line: `job.failed of lane high with tag prod to slack ops`. */
export function summaryOf(rule: Rule): string {
  const { lanes, tags, batches, to } = rule;
  const batch =
    typeof batches === 'object'
      ? [`of batch ${batches.join(' or ')}`]
      : batches === undefined
        ? []
        : [batches === 'only' ? 'of batches' : 'of no batch'];
  const targets = Object.entries(to).flatMap(([channel, names]) =>
    names === undefined ? [] : [`${channel} ${names.join(', ')}`],
  );
  return [
    rule.facts.join(', '),
    ...(lanes === undefined ? [] : [`of lane ${lanes.join(' or ')}`]),
    ...(tags === undefined ? [] : [`with tag ${tags.join(' or ')}`]),
    ...batch,
    `to ${targets.join(' and ')}`,
    ...(rule.at_once ? ['at once'] : []),
  ].join(' ');
}
