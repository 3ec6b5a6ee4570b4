import { JobError } from '@hyper2kvm/contracts';
import type { PipeTransform } from '@nestjs/common';
import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/** Validates a body, a query or a path parameter; the message names the field. */
export class ZodPipe<Schema extends z.ZodType> implements PipeTransform<unknown, z.infer<Schema>> {
  constructor(
    private readonly schema: Schema,
    private readonly name = '',
  ) {}

  /** @throws JobError BAD_REQUEST */
  transform(value: unknown): z.infer<Schema> {
    const parsed = this.schema.safeParse(value ?? undefined);
    if (parsed.success) return parsed.data;
    const issues = parsed.error.issues.flatMap((issue) => unfold(issue));
    throw new JobError('BAD_REQUEST', issues.map((issue) => this.#explain(issue)).join('; '));
  }

  #explain(issue: Issue): string {
    const path = [this.name, ...issue.path.map(String)].filter((part) => part !== '').join('.');
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  }
}

/** Of a value that fits none of several forms: what is wrong with it in the form that it comes nearest to. */
function unfold(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const nearest = issue.errors
    .map((issues) => issues.flatMap((inner) => unfold(inner)))
    .filter((issues) => !issues.some((inner) => inner.code === 'invalid_type' && inner.path.length === 0))
    .toSorted((one, other) => missing(one) - missing(other) || one.length - other.length)[0];
  return nearest?.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })) ?? [issue];
}

/** Fields that are needed and not there: a sign of another form. */
const missing = (issues: readonly Issue[]): number =>
  issues.filter((issue) => issue.code === 'invalid_type' && issue.message.endsWith('received undefined')).length;
