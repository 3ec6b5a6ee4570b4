import { readFileSync } from 'node:fs';
import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { BaseConfig, SECTIONS } from './base.js';
import { dropObsolete } from './obsolete.js';

/** Where the configuration lies unless HYPER2KVM_CONFIG names another file. */
export const DEFAULT_CONFIG_FILE = '/etc/hyper2kvm/config.yaml';
const PREFIX = 'HYPER2KVM_';

/** What is wrong with the configuration: one line a key, with what was expected there. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

type Tree = Record<string, unknown>;
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

function expand(value: unknown, env: NodeJS.ProcessEnv, path: string): unknown {
  if (typeof value === 'string') {
    return value.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => {
      const found = env[name];
      if (found === undefined) throw new ConfigError(`${path}: the environment variable ${name} is not set`);
      return found;
    });
  }
  if (Array.isArray(value)) return value.map((item, index) => expand(item, env, `${path}.${index}`));
  if (isTree(value))
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, expand(item, env, path === '' ? key : `${path}.${key}`)]),
    );
  return value;
}

interface Override {
  readonly keys: readonly string[];
  readonly text: string;
}

/** HYPER2KVM_NATS__SERVERS='["10.0.0.1:4222"]' sets nats.servers. */
function overridesIn(env: NodeJS.ProcessEnv): Override[] {
  return Object.entries(env).flatMap(([name, text]) => {
    const keys = name.slice(PREFIX.length).toLowerCase().split('__');
    return name.startsWith(PREFIX) && keys.length > 1 && text !== undefined ? [{ keys, text }] : [];
  });
}

function put(tree: Tree, keys: readonly string[], value: unknown): void {
  let node = tree;
  for (const key of keys.slice(0, -1)) {
    if (!Object.hasOwn(node, key) || !isTree(node[key])) node[key] = {};
    node = node[key] as Tree;
  }
  node[keys.at(-1) ?? ''] = value;
}

/** Numbers, booleans and lists are written as YAML; what is not YAML stays the text it is. */
function readValue(text: string): unknown {
  try {
    return parse(text, { logLevel: 'silent' });
  } catch {
    return text;
  }
}

/**
 * Validates a section with the environment over it. A value is taken as text where text is allowed, so that a password of
 * digits or signs means itself, and as YAML where it is not.
 */
function validate(
  section: string,
  schema: z.ZodType,
  value: unknown,
  overrides: readonly Override[],
): z.ZodSafeParseResult<unknown> {
  const own = overrides.filter(({ keys }) => keys[0] === section);
  const tree: Tree = { [section]: structuredClone(value ?? undefined) };
  for (const { keys, text } of own) put(tree, keys, text);
  for (const left = new Set(own); ;) {
    const parsed = schema.safeParse(tree[section]);
    if (parsed.success) return parsed;
    const paths = parsed.error.issues.map(({ path }) => [section, ...path.map(String)]);
    const refused = [...left].filter(({ keys }) => paths.some((at) => keys.every((key, index) => at[index] === key)));
    if (refused.length === 0) return parsed;
    for (const override of refused) {
      left.delete(override);
      put(tree, override.keys, readValue(override.text));
    }
  }
}

/** Where and what, without the line itself: it may hold a password. */
function yamlProblem(error: unknown): string {
  if (!(error instanceof YAMLParseError))
    return error instanceof ReferenceError ? 'an alias without its anchor' : String(error);
  const [at] = error.linePos ?? [];
  return `${at === undefined ? '' : `line ${at.line}, column ${at.col}: `}${error.code}`;
}

function explain(error: z.ZodError, prefix: string): string[] {
  return error.issues.map((issue) => {
    const path = [prefix, ...issue.path.map(String)].filter((part) => part !== '').join('.');
    return `${path}: ${issue.message}`;
  });
}

/**
 * Reads the configuration once: the file, `${VAR}` expanded, the environment over it, validated, frozen.
 * @param notice gets a line for each key that is accepted without effect
 * @param sections the schemas of the sections this process wants, besides the common ones
 * @throws ConfigError naming each unknown key and bad value
 */
export function loadConfig<Sections extends Record<string, z.ZodType>>(
  sections: Sections,
  env: NodeJS.ProcessEnv = process.env,
  notice: (text: string) => void = () => {},
): { [Key in keyof Sections]: z.infer<Sections[Key]> } & BaseConfig {
  const file = env['HYPER2KVM_CONFIG'];
  let text = '';
  try {
    text = readFileSync(file ?? DEFAULT_CONFIG_FILE, 'utf8');
  } catch (error) {
    if (file !== undefined) throw new ConfigError(`${file} cannot be read: ${(error as Error).message}`);
  }
  let tree: Tree;
  try {
    const parsed: unknown = parse(text) ?? {};
    if (!isTree(parsed)) throw new Error('it is not a mapping');
    tree = expand(parsed, env, '') as Tree;
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`${file ?? DEFAULT_CONFIG_FILE} is not valid YAML: ${yamlProblem(error)}`);
  }
  const overrides = overridesIn(env);
  for (const text of dropObsolete(tree)) notice(text);
  const sectionsSeen = new Set([...Object.keys(tree), ...overrides.map(({ keys }) => keys[0] ?? '')]);
  const problems = [...sectionsSeen]
    .filter((key) => !SECTIONS.includes(key))
    .map((key) => `${key}: unknown section; there are ${SECTIONS.join(', ')}`);
  const result: Tree = {};
  for (const [key, schema] of Object.entries({ ...BaseConfig.shape, ...sections })) {
    const parsed = validate(key, schema, tree[key], overrides);
    if (parsed.success) result[key] = parsed.data;
    else problems.push(...explain(parsed.error, key));
  }
  if (problems.length > 0) throw new ConfigError(`the configuration is not valid:\n  ${problems.join('\n  ')}`);
  return deepFreeze(result) as { [Key in keyof Sections]: z.infer<Sections[Key]> } & BaseConfig;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const item of Object.values(value)) deepFreeze(item);
    Object.freeze(value);
  }
  return value;
}
