/** An OpenAPI 3.1 document as tests read it. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

export type Schema = Readonly<Record<string, unknown>>;
type Content = Readonly<Record<string, { readonly schema: Schema }>>;

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly schema: Schema;
}

export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly body: Schema | undefined;
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

interface RawOperation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Operation['responses'];
}

const NAME = 'openapi.json';
/** A step of a JSON pointer: RFC 6901. */
const step = (text: string): string => encodeURIComponent(text.replaceAll('~', '~0').replaceAll('/', '~1'));

export class ApiDocument {
  readonly operations: readonly Operation[];
  readonly #ajv = new Ajv2020({
    strict: false,
    // Of zod: their patterns say the same.
    formats: { starts_with: true, base64: true },
  });
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(readonly root: Schema) {
    (addFormats as unknown as typeof addFormats.default)(this.#ajv);
    // The document is no schema itself: its parts are.
    this.#ajv.addSchema(root, NAME, undefined, false);
    const paths = root['paths'] as Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
    this.operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        id: operation.operationId,
        method: method.toUpperCase(),
        path,
        parameters: operation.parameters ?? [],
        body: operation.requestBody?.content['application/json']?.schema,
        responses: operation.responses,
      })),
    );
  }

  /** What a `$ref` means. */
  resolve(schema: Schema): Schema {
    let found: unknown = schema;
    while (typeof found === 'object' && found !== null && '$ref' in found) {
      const steps = String(found.$ref).replace(/^#\//, '').split('/');
      found = steps.reduce<unknown>(
        (node, name) => (node as Schema)[name.replaceAll('~1', '/').replaceAll('~0', '~')],
        this.root,
      );
    }
    return found as Schema;
  }

  /** What is wrong with an answer's JSON; undefined when nothing is. */
  answerProblem(operation: Operation, status: number, type: string, body: unknown): string | undefined {
    return this.#problem([...this.#at(operation), 'responses', String(status), 'content', type, 'schema'], body);
  }

  /** What is wrong with a request's JSON. */
  bodyProblem(operation: Operation, body: unknown): string | undefined {
    return this.#problem([...this.#at(operation), 'requestBody', 'content', 'application/json', 'schema'], body);
  }

  #at = (operation: Operation): string[] => ['paths', operation.path, operation.method.toLowerCase()];

  #problem(steps: readonly string[], value: unknown): string | undefined {
    const reference = `${NAME}#/${steps.map(step).join('/')}`;
    let validate = this.#validators.get(reference);
    if (validate === undefined) {
      validate = this.#ajv.compile({ $ref: reference });
      this.#validators.set(reference, validate);
    }
    if (validate(value)) return undefined;
    const [error] = validate.errors ?? [];
    return `${error?.instancePath === '' ? 'the body' : error?.instancePath} ${error?.message} ${JSON.stringify(error?.params)}`;
  }
}
