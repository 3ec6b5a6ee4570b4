import { isCollection, isMap, isNode, isPair, isScalar, type Document, type LineCounter } from 'yaml';

export type Path = readonly (string | number)[];

/** `waves[1].vms[3].options.engine` */
export const pathWord = (path: Path): string =>
  path.map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? key : `.${key}`)).join('');

/** `line:column` of what a path leads to, or of the nearest that is there around it; both from 1. */
export function spotOf(document: Document, lines: LineCounter, path: Path): string {
  let node: unknown = document.contents;
  let at = startOf(node) ?? 0;
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
      // A key's own place also where its value is missing or begins lines below.
      at = startOf(pair?.key) ?? at;
      node = pair?.value;
    } else if (isCollection(node)) {
      const item: unknown = node.items[Number(key)];
      node = isPair(item) ? item.value : item;
      at = startOf(node) ?? at;
    } else break;
  }
  const { line, col } = lines.linePos(at);
  return `${Math.max(1, line)}:${Math.max(1, col)}`;
}

const startOf = (node: unknown): number | undefined => (isNode(node) ? node.range?.[0] : undefined);
