import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile, FORMATS, type Format, type Template } from './template.js';
import { VARIABLES, type MessageName } from './variables.js';

export type TemplateFile = `${MessageName}.${Format}`;
export type TemplateSet = ReadonlyMap<TemplateFile, Template>;

/** Beside `dist`, in the repository and in a package. */
const SHIPPED = fileURLToPath(new URL('../../templates/', import.meta.url));
const ENDING = '.mustache';
const MAX_BYTES = 256 * 1024;

/** What is wrong with templates: one line a mistake, with file and line. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

const FILES: ReadonlyMap<string, readonly [TemplateFile, Format, MessageName]> = new Map(
  (Object.keys(VARIABLES) as MessageName[]).flatMap((message) =>
    FORMATS.map((format) => {
      const file: TemplateFile = `${message}.${format}`;
      return [`${file}${ENDING}`, [file, format, message]] as const;
    }),
  ),
);

/**
 * All templates of a folder; other files are left alone.
 * @throws TemplateError
 */
export function readTemplates(folder = SHIPPED): TemplateSet {
  const read = namesIn(folder).map((name) => one(folder, name));
  const mistakes = read.flatMap((result) => ('problems' in result ? result.problems : []));
  if (mistakes.length > 0) throw new TemplateError(mistakes.join('\n'));
  return new Map(read.flatMap((result) => ('template' in result ? [[result.file, result.template] as const] : [])));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(ENDING) && !name.startsWith('.'))
      .toSorted();
  } catch (error) {
    throw new TemplateError(`notifier.templates_dir cannot be read: ${(error as Error).message}`);
  }
}

type Read = { readonly problems: readonly string[] } | { readonly file: TemplateFile; readonly template: Template };

function one(folder: string, name: string): Read {
  const place = path.join(folder, name);
  const known = FILES.get(name);
  if (known === undefined) {
    const near = `its name is <message>.<format>${ENDING}: ${Object.keys(VARIABLES).join(', ')}; ${FORMATS.join(', ')}`;
    return { problems: [`${place}: there is no such template; ${near}`] };
  }
  const [file, format, message] = known;
  let source: string;
  try {
    source = sourceOf(place);
  } catch (error) {
    return { problems: [`${place}: ${(error as Error).message}`] };
  }
  const template = compile(source, format, VARIABLES[message]);
  return typeof template === 'function'
    ? { file, template }
    : { problems: template.map(({ line, problem }) => `${place}, line ${line}: ${problem}`) };
}

function sourceOf(place: string): string {
  const found = statSync(place);
  // Reading a device or a pipe never ends.
  if (!found.isFile()) throw new Error('it is no file');
  if (found.size > MAX_BYTES) throw new Error(`it has ${found.size} bytes, ${MAX_BYTES} are allowed`);
  const bytes = readFileSync(place);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Error('it is not UTF-8');
  }
}
