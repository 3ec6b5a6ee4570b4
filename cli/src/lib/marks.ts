/**
 * Marks and pictures are for terminals that have them. A terminal called `dumb`, the console of Linux and a locale that is not
 * UTF-8 get plain ASCII. Letters of names stay as they are: names are to be copied.
 */
export function wantsAscii(env: NodeJS.ProcessEnv = process.env): boolean {
  if (env['TERM'] === 'dumb' || env['TERM'] === 'linux') return true;
  // As in locale(7): the first that is set and not empty. Where none is, as in many containers, the terminal is modern.
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((value) => value !== undefined && value !== '');
  return locale !== undefined && !/utf-?8/i.test(locale);
}

/** Whether the cursor can be moved, so that lines can be drawn again in place. */
export const canRedraw = (stream: NodeJS.WriteStream): boolean => stream.isTTY && process.env['TERM'] !== 'dumb';

const SPINNER = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';
const TURNS = '|/-\\';

const MARKS: Readonly<Record<string, string>> = {
  '✅': '[ok]',
  '❌': '[failed]',
  '⚠': '[!]',
  '🛑': '[stopped]',
  '⏳': '[wait]',
  '▶': '[>]',
  '🔁': '[again]',
  '█': '#',
  '░': '-',
  '╔': '+',
  '╗': '+',
  '╚': '+',
  '╝': '+',
  '═': '=',
  '║': '|',
  '─': '-',
  '│': '|',
  // Where a line was cut: as wide as what it stands for.
  '…': '~',
  '→': '->',
  '–': '-',
  '×': 'x',
  '·': '-',
  '●': '*',
  '○': 'o',
  '⏸': '[paused]',
  ℹ: '[i]',
};

/** Pictures that say nothing which the words beside them do not say. */
const PICTURES = /[\u{1F300}-\u{1FAFF}✂]\uFE0F? */gu;
const ANY_MARK = new RegExp(`(?:[${Object.keys(MARKS).join('')}]|[${SPINNER}])\\uFE0F?`, 'gu');

/** The text as this terminal can show it. */
export function asciiMarks(text: string, ascii = wantsAscii()): string {
  if (!ascii) return text;
  return text
    .replaceAll('\uFE0F  ', ' ')
    .replaceAll(ANY_MARK, (mark) => {
      const plain = mark.replace('\uFE0F', '');
      return MARKS[plain] ?? TURNS[SPINNER.indexOf(plain) % TURNS.length] ?? '';
    })
    .replaceAll(PICTURES, '');
}
