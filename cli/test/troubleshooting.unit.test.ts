// The page knows each error code: what it means, whether it is retried by itself, what to do; and each exit code.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '@hyper2kvm/contracts';
import { EXIT_CODES } from '../src/help/groups.js';
import { EXIT } from '../src/lib/exit-codes.js';

const PAGE = readFileSync(new URL('../../docs/troubleshooting.md', import.meta.url), 'utf8');
const sections = new Map(
  PAGE.split(/^#### /m)
    .slice(1)
    .map((part): [string, string] => {
      const [code = '', ...rest] = part.split('\n');
      return [code, rest.join('\n').split(/^### /m)[0] ?? ''];
    }),
);

/** Codes that hyperctl gives itself. */
function ownCodes(): string[] {
  const folder = new URL('../src/', import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const text = files.map((file) => readFileSync(new URL(file, folder), 'utf8')).join('\n');
  const given = [...text.matchAll(/\bcode(?:: | = )[^\n}]*/g)].map(([line]) => line.replaceAll(/=== '\w+'/g, ''));
  return given.flatMap((line) => [...line.matchAll(/'([A-Z][A-Z_]{3,})'/g)].map(([, code = '']) => code));
}

describe('docs/troubleshooting.md', () => {
  it.each(Object.entries(ERRORS))('%s', (code, { title, retryable }) => {
    const section = sections.get(code) ?? '';
    expect(section.toLowerCase()).toContain(title.toLowerCase());
    expect(section.includes('_Retried by itself._')).toBe(retryable);
    // Why it happens, and what to do.
    expect(section.replace(/^.*?\. ?(_Retried by itself\._)?/s, '').trim().length).toBeGreaterThan(40);
    expect(section).toMatch(/^- \S/m);
  });

  it('has the codes of hyperctl itself, and none that does not exist', () => {
    const own = ownCodes();
    expect(own).toContain('GATEWAY_UNREACHABLE');
    expect(new Set(sections.keys())).toEqual(new Set([...Object.keys(ERRORS), ...own]));
  });

  it('has each exit code, as hyperctl help does', () => {
    const [, table = ''] = /^## Exit codes\n([^#]*)/m.exec(PAGE) ?? [];
    const codes = [...table.matchAll(/^\| (\d+) /gm)].map(([, code]) => code);
    expect(codes).toEqual(Object.values(EXIT).map(String));
    expect(EXIT_CODES.map(([code]) => code)).toEqual(codes);
  });
});
