/** A scalar of a YAML file with its place, so that it alone can be replaced. */
export interface YamlScalar {
  /** Keys from the top; `[]` for an item of a list. */
  readonly path: readonly string[];
  /** Without quotes. */
  readonly value: string;
  /** Of the value in the text, quotes included. */
  readonly start: number;
  readonly end: number;
  /** Where its key begins; undefined for an item of a list. */
  readonly keyStart?: number;
}

export interface YamlScan {
  /** Paths of all keys, also of those without a value. */
  readonly keys: readonly (readonly string[])[];
  readonly scalars: readonly YamlScalar[];
}

/** Nobody nests deeper; what does is not read. */
const DEPTH_LIMIT = 32;
const SIZE_LIMIT = 256 * 1024;

/**
 * What netplan's files use of YAML: block and flow mappings and lists, quotes, comments. Anchors, tags and block scalars
 * are skipped. It reads each character once, whatever the file.
 */
export function scanYaml(text: string): YamlScan {
  const keys: (readonly string[])[] = [];
  const scalars: YamlScalar[] = [];
  if (text.length > SIZE_LIMIT) return { keys, scalars };
  const stack: { indent: number; key: string }[] = [];
  let skipDeeperThan: number | undefined;
  let position = 0;
  while (position < text.length) {
    const end = lineEnd(text, position);
    const line = text.slice(position, end);
    let column = line.length - line.trimStart().length;
    const blank = column === line.length || line[column] === '#';
    if (!blank && (skipDeeperThan === undefined || column <= skipDeeperThan)) {
      skipDeeperThan = undefined;
      position = entry(column) ?? end + 1;
    } else position = end + 1;

    /** Reads the line's entry; gives the position to go on from where it goes beyond the line. */
    function entry(indent: number): number | undefined {
      const dash = line.startsWith('- ', column);
      while (stack.length > 0 && isOver(stack.at(-1), indent, dash)) stack.pop();
      while (line.startsWith('- ', column) && stack.length < DEPTH_LIMIT) {
        stack.push({ indent: column, key: '[]' });
        column += 2;
        while (line[column] === ' ') column += 1;
      }
      const at = position + column;
      const key = readKey(text, at, end);
      if (key !== undefined) {
        stack.push({ indent: column, key: key.name });
        keys.push(stack.map((each) => each.key));
      }
      const value = skipBlanks(text, key?.end ?? at, end);
      const path = stack.map((each) => each.key);
      if (path.length > DEPTH_LIMIT || value === end || text[value] === '#') return undefined;
      if (text[value] === '{' || text[value] === '[') return scanFlow(text, value, path, { keys, scalars });
      if (text[value] === '|' || text[value] === '>') skipDeeperThan = indent;
      else scalars.push(scalarAt(text, value, end, path, key === undefined ? undefined : at));
      return undefined;
    }
  }
  return { keys, scalars };
}

/** A list may stand as deep as the key that it belongs to. */
function isOver(top: { indent: number; key: string } | undefined, indent: number, dash: boolean): boolean {
  if (top === undefined) return false;
  return top.indent > indent || (top.indent === indent && (!dash || top.key === '[]'));
}

const lineEnd = (text: string, from: number): number => {
  const found = text.indexOf('\n', from);
  return found === -1 ? text.length : found;
};

function skipBlanks(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && /\s/.test(text[at] ?? '')) at += 1;
  return at;
}

/** `name:` followed by a blank or the line's end. */
function readKey(text: string, at: number, end: number): { name: string; end: number } | undefined {
  const quote = text[at];
  if (quote === '"' || quote === "'") {
    const close = text.indexOf(quote, at + 1);
    if (close === -1 || close >= end || text[close + 1] !== ':') return undefined;
    return { name: text.slice(at + 1, close), end: close + 2 };
  }
  for (let i = at; i < end; i += 1) {
    if (text[i] === '#' || text[i] === '{' || text[i] === '[') return undefined;
    if (text[i] === ':' && (i + 1 === end || /\s/.test(text[i + 1] ?? ''))) {
      return { name: text.slice(at, i).trim(), end: i + 1 };
    }
  }
  return undefined;
}

function scalarAt(
  text: string,
  start: number,
  end: number,
  path: readonly string[],
  keyStart: number | undefined,
): YamlScalar {
  const place = { path, start, ...(keyStart === undefined ? {} : { keyStart }) };
  const quote = text[start];
  if (quote === '"' || quote === "'") {
    const close = text.indexOf(quote, start + 1);
    if (close !== -1 && close < end) return { ...place, value: text.slice(start + 1, close), end: close + 1 };
  }
  const comment = text.slice(start, end).search(/\s#/);
  const value = text.slice(start, comment === -1 ? end : start + comment).trimEnd();
  return { ...place, value, end: start + value.length };
}

interface Sink {
  keys: (readonly string[])[];
  scalars: YamlScalar[];
}

/** `{a: b, c: [d, e]}`, over several lines too; gives the position after it. */
function scanFlow(text: string, from: number, base: readonly string[], { keys, scalars }: Sink): number {
  const open: { list: boolean; key?: string; keyStart?: number }[] = [];
  let at = from;
  do {
    const letter = text[at] ?? '';
    const top = open.at(-1);
    if (letter === '{' || letter === '[') {
      if (open.length >= DEPTH_LIMIT) return text.length;
      open.push({ list: letter === '[' });
      at += 1;
    } else if (letter === '}' || letter === ']') {
      open.pop();
      at += 1;
    } else if (letter === ',') {
      if (top) delete top.key;
      at += 1;
    } else if (/[\s:]/.test(letter)) at += 1;
    else if (letter === '#') at = lineEnd(text, at);
    else {
      const token = flowToken(text, at);
      const path = [
        ...base,
        ...open.flatMap((each) => (each.list ? ['[]'] : each.key === undefined ? [] : [each.key])),
      ];
      if (top && !top.list && top.key === undefined) {
        top.key = token.value;
        top.keyStart = at;
        keys.push([...path, token.value]);
      } else {
        const keyStart = top?.list ? undefined : top?.keyStart;
        scalars.push({
          path,
          value: token.value,
          start: at,
          end: token.end,
          ...(keyStart === undefined ? {} : { keyStart }),
        });
      }
      at = token.end;
    }
  } while (open.length > 0 && at < text.length);
  return at;
}

function flowToken(text: string, start: number): { value: string; end: number } {
  const quote = text[start];
  if (quote === '"' || quote === "'") {
    const close = text.indexOf(quote, start + 1);
    if (close !== -1) return { value: text.slice(start + 1, close), end: close + 1 };
  }
  let end = start + 1;
  while (end < text.length && !/[,{}[\]\n]/.test(text[end] ?? '')) {
    if (text[end] === ':' && /[\s,{}[\]]/.test(text[end + 1] ?? ' ')) break;
    if (text[end] === '#' && text[end - 1] === ' ') break;
    end += 1;
  }
  return { value: text.slice(start, end).trimEnd(), end };
}
