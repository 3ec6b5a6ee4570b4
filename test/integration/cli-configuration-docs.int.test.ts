// docs/configuration.md names every key that a service reads, with the default that the service has. Here, because the test
// needs all services.
import { readFileSync } from 'node:fs';
import { ConverterConfig } from '@hyper2kvm/converter';
import { ExporterConfig, HooksConfig } from '@hyper2kvm/exporter';
import { SECTIONS } from '@hyper2kvm/gateway';
import { NotifierConfig } from '@hyper2kvm/notifier';
import { TargetConfig } from '@hyper2kvm/runtime';
import { z } from 'zod';
import { describe, expect, it } from 'vitest';

const PAGE = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');

/** Names and defaults in the tables of a section. `a.b`, `.c` in one cell are a.b and a.c, as a person reads them. */
function documented(section: string): Map<string, string> {
  const [, text = ''] = new RegExp(`\n## ${section}\n(.*?)(?=\n## |$)`, 's').exec(PAGE) ?? [];
  const rows = text.split('\n').filter((line) => line.startsWith('| `'));
  return new Map(
    rows.flatMap((line) => {
      const [, keys = '', value = ''] = line.split('|').map((cell) => cell.trim());
      const names = [...keys.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
      const prefix = names[0]?.replace(/\.[^.]*$/, '') ?? '';
      return names.map((name): [string, string] => [name.startsWith('.') ? prefix + name : name, value]);
    }),
  );
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  /** Of a record: what stands behind each of its names. */
  readonly additionalProperties?: JsonSchema | boolean;
  readonly default?: unknown;
}

/** Every key of a schema by its path, with its default. */
function keys(schema: JsonSchema, path = ''): [string, unknown][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, child]): [string, unknown][] => {
    const at = path === '' ? name : `${path}.${name}`;
    if (typeof child.additionalProperties === 'object')
      return [[at, child.default], ...keys(child.additionalProperties, `${at}.<name>`)];
    return child.properties === undefined ? [[at, child.default]] : keys(child, at);
  });
}

const schemaOf = (schema: z.ZodType): [string, unknown][] =>
  keys(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema);

describe('docs/configuration.md', () => {
  const common = documented('Workers');
  it.each([
    ['exporter', ExporterConfig],
    ['converter', ConverterConfig],
    ['notifier', NotifierConfig],
    ['gateway', SECTIONS.gateway],
    ['vsphere', SECTIONS.vsphere],
    ['conversion', SECTIONS.conversion],
    ['retry_policy', SECTIONS.retry_policy],
    ['targets', TargetConfig],
    ['hooks', HooksConfig],
  ] as [string, z.ZodType][])('%s: names every key, and no other', (section, schema) => {
    const own = documented(section);
    const read = schemaOf(schema).map(([name]) => name);
    expect(read.length).toBeGreaterThan(0);
    expect(read.filter((name) => !own.has(name) && !common.has(name))).toEqual([]);
    expect([...own.keys()].filter((name) => !read.includes(name))).toEqual([]);
  });

  it('exporter: has the defaults that it has', () => {
    const own = documented('exporter');
    for (const [name, value] of schemaOf(ExporterConfig)) {
      const written = own.get(name)?.replaceAll('`', '');
      if (written === undefined || value === undefined) continue;
      expect(written, name).toBe(
        Array.isArray(value) ? `[${value.join(', ')}]` : JSON.stringify(value).replaceAll('"', ''),
      );
    }
  });
});
