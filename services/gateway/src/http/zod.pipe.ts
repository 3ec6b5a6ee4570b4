import { JobError } from '@hyper2kvm/contracts';
import type { PipeTransform } from '@nestjs/common';
import type { z } from 'zod';

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
    throw new JobError('BAD_REQUEST', parsed.error.issues.map((issue) => this.#explain(issue)).join('; '));
  }

  #explain(issue: z.core.$ZodIssue): string {
    const path = [this.name, ...issue.path.map(String)].filter((part) => part !== '').join('.');
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  }
}
