// Pieces of Markdown.

export const code = (text) => (text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``);

/** Text that shall be read as it is: between bars, without becoming Markdown. */
export const cell = (text) =>
  text
    .replaceAll(/[<*|]|(?<!\w)_|_(?!\w)/g, (sign) => `\\${sign}`)
    .replaceAll(/\s*\n\s*/g, ' ')
    .trim();

/** Cells are Markdown already; a bar ends a cell, in code too. */
export const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((text) => text.replaceAll(/(?<!\\)\|/g, '\\|')).join(' | ')} |`)
    .join('\n');
