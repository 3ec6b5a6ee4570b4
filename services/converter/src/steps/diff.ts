import { createTwoFilesPatch } from 'diff';

/** Longer ones say nothing to a reader of a report. */
const MOST_LINES = 200;
/** Edits after which the comparison gives up: a hostile file may be made to take for ever. */
const MOST_EDITS = 2000;

/** Unified diff of a text file of the guest; undefined where it would be too long to read. */
export function unifiedDiff(file: string, before: string | undefined, after: string): string | undefined {
  const patch = createTwoFilesPatch(
    before === undefined ? '/dev/null' : `a${file}`,
    `b${file}`,
    before ?? '',
    after,
    '',
    '',
    {
      context: 1,
      maxEditLength: MOST_EDITS,
    },
  );
  if (patch === undefined) return undefined;
  const lines = patch.split('\n').slice(1);
  return lines.length > MOST_LINES ? undefined : lines.join('\n');
}
