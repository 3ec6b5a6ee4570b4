const A = 'a'.codePointAt(0) ?? 0;

/** `sda` for 0, `sdaa` for 26. */
export const diskName = (index: number): string => `sd${letters(index)}`;

/** 0 for `a`, 26 for `aa`. */
export const diskIndex = (name: string): number =>
  name.split('').reduce((sum, each) => sum * 26 + each.charCodeAt(0) - A + 1, 0) - 1;

const letters = (index: number): string =>
  (index < 26 ? '' : letters(Math.floor(index / 26) - 1)) + String.fromCodePoint(A + (index % 26));
