import type { BatchRequest } from '@hyper2kvm/contracts';
import { Injectable, type PipeTransform } from '@nestjs/common';
import { InjectSections, type Sections } from '../config.js';
import { BATCHES_ROUTES } from '../http/routes/batches.js';
import { ZodPipe } from '../http/zod.pipe.js';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The body of a request for a batch; where it does not say `auto_convert`, the configuration does. */
@Injectable()
export class BatchPipe implements PipeTransform<unknown, BatchRequest> {
  readonly #zod = new ZodPipe(BATCHES_ROUTES.createBatch.body);

  constructor(@InjectSections() private readonly config: Sections) {}

  /** @throws JobError BAD_REQUEST */
  transform(body: unknown): BatchRequest {
    const { auto_convert } = this.config.conversion;
    if (!isObject(body)) return this.#zod.transform(body);
    const { options = {} } = body;
    return this.#zod.transform(isObject(options) ? { ...body, options: { auto_convert, ...options } } : body);
  }
}
