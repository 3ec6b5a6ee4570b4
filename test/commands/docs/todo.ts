/** Which command of the docs is run where. */
import { ELSEWHERE, type Elsewhere } from './elsewhere.js';
import { linesOf, pages, type Line } from './lines.js';

export type { Line } from './lines.js';

/** The examples of the first design document, word for word. */
export const DESIGN = 'test/support/design/commands.md';
const isReference = (page: string): boolean => page.startsWith('docs/reference/');
export const REFERENCE = pages().filter(isReference);
export const GUIDES = pages().filter((page) => !isReference(page));
export const LINES: readonly Line[] = [DESIGN, ...GUIDES, ...REFERENCE].flatMap(linesOf);

export const fits = ({ command }: { readonly command: string | RegExp }, { text }: Line): boolean =>
  typeof command === 'string' ? command === text : command.test(text);
const elsewhere = (line: Line): Elsewhere | undefined => ELSEWHERE.find((one) => fits(one, line));
const isOfHyperctl = ({ text }: Line): boolean => /^(hyperctl|curl) /.test(text);
const withoutComment = (text: string): string => text.replace(/\s+# .*$/, '');

/** What stands on several pages is run once, where it stands first. */
export const RUN: readonly Line[] = (() => {
  const seen = new Set<string>();
  return LINES.filter((line) => {
    if (elsewhere(line) !== undefined) return false;
    const text = withoutComment(line.text);
    const isKnown = seen.has(text) && isOfHyperctl(line);
    seen.add(text);
    return !isKnown;
  });
})();

export const toRun = (page: string): Line[] => RUN.filter((line) => line.page === page);
