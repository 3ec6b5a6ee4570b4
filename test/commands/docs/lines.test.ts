import { expect, it } from 'vitest';
import { commandsIn } from './lines.js';

const texts = (...rows: string[]): string[] => commandsIn(rows.join('\n')).map(({ text }) => text);

it('finds the commands of shell blocks, and no others', () => {
  expect(
    texts('`hyperctl a`', '```yaml', 'b: c', '```', '```sh', '# d', '', 'e  # f', '```', '```text', 'g', '```'),
  ).toEqual(['e  # f']);
  expect(commandsIn('a\n\n```bash\nb\nc\n```').map(({ number }) => number)).toEqual([4, 5]);
  expect(texts('1. a', '   ```sh', '   b', '   ```')).toEqual(['b']);
});

it('keeps together what goes on: lines, documents, quotes, loops', () => {
  expect(texts('```sh', 'a \\', '  --b', 'c', '```')).toEqual(['a \\\n  --b', 'c']);
  expect(texts('```sh', "cat > x <<'EOF'", 'a', '# b', 'EOF', 'c', '```')).toEqual([
    "cat > x <<'EOF'\na\n# b\nEOF",
    'c',
  ]);
  expect(texts('```sh', "a '", "b'", 'for x in 1; do', '  c', 'done', '```')).toEqual([
    "a '\nb'",
    'for x in 1; do\n  c\ndone',
  ]);
  expect(() => texts('```sh', 'cat <<EOF', 'a', '```')).toThrow('does not end');
});

it('takes lines with a prompt for commands, and what stands below for output', () => {
  expect(texts('```console', '$ a', 'output', '$ b \\', '> --c', '```')).toEqual(['a', 'b \\\n--c']);
});
