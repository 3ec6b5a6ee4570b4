// The README's commands exist with the flags that it names. `npm run demo` itself is run by test/e2e/demo.e2e.test.ts; `npm test`
// is what runs this.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FILES = ['README.md', 'docs/user-guide.md', 'CONTRIBUTING.md'];

/** The command lines of all shell blocks, continuation lines joined, comments and prompts dropped. */
async function commands(file: string): Promise<string[]> {
  const text = await readFile(path.join(ROOT, file), 'utf8');
  const blocks = [...text.matchAll(/```(?:sh|bash)\n(.*?)```/gs)].map(([, block]) => block ?? '');
  return blocks
    .flatMap((block) => block.replaceAll(/\\\n\s*/g, ' ').split('\n'))
    .map((line) =>
      line
        .replace(/\s+#.*$/, '')
        .replace(/^\$ /, '')
        .trim(),
    )
    .filter((line) => line !== '' && !line.startsWith('#'));
}

describe.each(FILES)('%s', (file) => {
  it('names npm scripts that exist', async () => {
    const { scripts } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const named = (await commands(file))
      .flatMap((line) => /^npm (?:run (?:--silent )?)?([\w:-]+)/.exec(line)?.[1] ?? [])
      .filter((name) => name !== 'ci' && name !== 'install');
    for (const name of named) expect(Object.keys(scripts), `npm run ${name}`).toContain(name);
  });

  it('names hyperctl commands and flags that exist', async () => {
    for (const line of (await commands(file)).filter((text) => /^(npx )?hyperctl /.test(text))) {
      const words = line.replace(/^(npx )?hyperctl /, '').split(/\s+/);
      const command = words
        .slice(0, words.findIndex((word) => word.startsWith('-')) >>> 0)
        .filter((word) => /^[a-z-]+$/.test(word));
      const { stdout, exitCode } = await execa('node', ['cli/bin/run.js', ...command, '--help'], {
        cwd: ROOT,
        reject: false,
      });
      expect(exitCode, line).toBe(0);
      for (const flag of words.filter((word) => /^--[a-z]/.test(word)).map((word) => word.replace(/=.*$/, ''))) {
        const shown = [flag, flag.replace(/^--(?:no-)?/, '--[no-]')];
        expect(
          shown.some((text) => stdout.includes(text)),
          `${line}: ${flag}`,
        ).toBe(true);
      }
    }
  });
});
