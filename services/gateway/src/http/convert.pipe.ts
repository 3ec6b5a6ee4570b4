import type { ConvertRequest } from '@hyper2kvm/contracts';
import { Injectable, type PipeTransform } from '@nestjs/common';
import { InjectSections, type Sections } from '../config.js';
import { ROUTES } from './routes.js';
import { ZodPipe } from './zod.pipe.js';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The body of a convert request; where it does not say `auto_convert`, the configuration does. */
@Injectable()
export class ConvertPipe implements PipeTransform<unknown, ConvertRequest> {
  readonly #zod = new ZodPipe(ROUTES.convert.body);

  constructor(@InjectSections() private readonly config: Sections) {}

  /** @throws JobError BAD_REQUEST */
  transform(body: unknown): ConvertRequest {
    const { auto_convert } = this.config.conversion;
    if (!isObject(body)) return this.#zod.transform(body);
    const { options = {} } = body;
    return this.#zod.transform(isObject(options) ? { ...body, options: { auto_convert, ...options } } : body);
  }
}
