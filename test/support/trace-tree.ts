/** The spans of one trace as a tree, for comparison. */
import type { ReceivedSpan } from './otlp.js';

export interface TraceNode {
  readonly span: ReceivedSpan;
  /** What followed it, where it was told in pieces. */
  readonly pieces: readonly ReceivedSpan[];
  readonly children: readonly TraceNode[];
}

/** From 2: which piece of a long span it is. */
const pieceOf = (span: ReceivedSpan): number => Number(span.attributes['hyper2kvm.piece'] ?? 1);

/** The spans of the trace, each once: an export that was repeated brings the same again. */
export const spansOf = (spans: readonly ReceivedSpan[], traceId: string): ReceivedSpan[] => [
  ...new Map(spans.filter((span) => span.traceId === traceId).map((span) => [span.spanId, span])).values(),
];

/**
 * The trace's root, with all that is below it. The pieces of a long span are one node.
 * @throws where a span has a parent that is not there, where there are several roots or none, and where a piece hangs in the air
 */
export function traceTree(spans: readonly ReceivedSpan[], traceId: string): TraceNode {
  const own = spansOf(spans, traceId);
  const byId = new Map(own.map((span) => [span.spanId, span]));
  const firsts = own.filter((span) => pieceOf(span) === 1);
  const pieces = new Map<string, ReceivedSpan[]>();
  const faults: string[] = [];
  for (const piece of own.filter((span) => pieceOf(span) > 1)) {
    const first = firstOf(piece, byId);
    if (first === undefined) faults.push(`${piece.name}, piece ${pieceOf(piece)}: what came before it is not there`);
    else if (first.parentId !== piece.parentId && first.spanId !== piece.parentId)
      faults.push(`${piece.name}, piece ${pieceOf(piece)}: it has another parent than the first`);
    else pieces.set(first.spanId, [...(pieces.get(first.spanId) ?? []), piece]);
  }
  const roots = firsts.filter(({ parentId }) => parentId === undefined);
  for (const { name, parentId } of firsts) {
    if (parentId === undefined || byId.has(parentId)) continue;
    const elsewhere = spans.find((span) => span.spanId === parentId);
    faults.push(
      elsewhere === undefined
        ? `${name}: its parent ${parentId} is not there`
        : `${name}: its parent ${elsewhere.name} is of another trace`,
    );
  }
  for (const { parentId, name } of firsts) {
    const parent = parentId === undefined ? undefined : byId.get(parentId);
    if (parent !== undefined && pieceOf(parent) > 1) faults.push(`${name}: its parent is a later piece`);
  }
  if (roots.length !== 1) faults.push(`${roots.length} roots: ${roots.map(({ name }) => name).join(', ')}`);
  const [root] = roots;
  if (root === undefined || faults.length > 0) throw new Error(`trace ${traceId}:\n${faults.join('\n')}`);
  const children = new Map<string, ReceivedSpan[]>();
  for (const span of firsts)
    if (span.parentId !== undefined) children.set(span.parentId, [...(children.get(span.parentId) ?? []), span]);
  const node = (span: ReceivedSpan): TraceNode => ({
    span,
    pieces: (pieces.get(span.spanId) ?? []).toSorted((a, b) => pieceOf(a) - pieceOf(b)),
    children: (children.get(span.spanId) ?? []).toSorted((a, b) => a.start - b.start).map(node),
  });
  return node(root);
}

/** The first piece, by the links from each to the one before. */
function firstOf(piece: ReceivedSpan, byId: ReadonlyMap<string, ReceivedSpan>): ReceivedSpan | undefined {
  let at: ReceivedSpan | undefined = piece;
  while (at !== undefined && pieceOf(at) > 1) {
    const number = pieceOf(at);
    const before: ReceivedSpan | undefined = at.links
      .map(({ spanId }) => byId.get(spanId))
      .find((one) => one !== undefined && one.name === piece.name && pieceOf(one) === number - 1);
    at = before;
  }
  return at;
}

/** All nodes, the root first. */
export const nodesOf = (tree: TraceNode): TraceNode[] => [tree, ...tree.children.flatMap(nodesOf)];

/** The one node of that name. @throws where there is another number of them */
export function theOne(tree: TraceNode, name: string): TraceNode {
  const found = nodesOf(tree).filter(({ span }) => span.name === name);
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} spans are called ${name}`);
  return found[0];
}

/**
 * The names, indented; siblings in the order of their names, equal ones once with their number.
 * @param leaveOut spans that are not shown, with all below them
 */
export function treeText(tree: TraceNode, leaveOut: (span: ReceivedSpan) => boolean = () => false): string {
  const lines = ({ span, children }: TraceNode): string[] => {
    const blocks = children
      .filter((child) => !leaveOut(child.span))
      .map((child) => lines(child).join('\n'))
      .toSorted();
    const counted = blocks
      .filter((block, index) => blocks.indexOf(block) === index)
      .map((block) => {
        const times = blocks.filter((one) => one === block).length;
        const [first = '', ...rest] = block.split('\n');
        return [times === 1 ? first : `${first} ×${times}`, ...rest].join('\n');
      });
    return [span.name, ...counted.flatMap((block) => block.split('\n').map((line) => `  ${line}`))];
  };
  return lines(tree).join('\n');
}
