/** What virt-v2v says: with `--machine-readable=stream:stdout` one JSON object per line, among lines for people. */

export interface Said {
  readonly type: 'message' | 'info' | 'warning' | 'error';
  /** One line, without virt-v2v's hints to its own debugging. */
  readonly text: string;
}

/** Undefined for lines that are not of the machine's kind. */
export function parseLine(line: string): Said | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const said: unknown = JSON.parse(line);
    if (typeof said !== 'object' || said === null || !('type' in said) || !('message' in said)) return undefined;
    const { type, message } = said;
    if (typeof message !== 'string' || !isType(type)) return undefined;
    return { type, text: oneLine(message) };
  } catch {
    return undefined;
  }
}

const isType = (type: unknown): type is Said['type'] =>
  type === 'message' || type === 'info' || type === 'warning' || type === 'error';

/** `virt-v2v -v -x` is no use to somebody who does not run it. */
const HINT = /\n\nIf the messages above are not sufficient[\s\S]*$/;

const oneLine = (text: string): string => text.replace(HINT, '').replace(/\s+/g, ' ').trim();

/** Its messages in their order, and which part (0 to 1) of the whole is done when each comes: measured without KVM. */
const MILESTONES: readonly (readonly [RegExp, number])[] = [
  [/^Setting up the source/, 0],
  [/^Opening the source/, 0.03],
  [/^Inspecting the source/, 0.25],
  [/^Checking for sufficient free disk space/, 0.5],
  [/^Converting /, 0.5],
  [/^Mapping filesystem data/, 0.85],
  [/^Closing the overlay/, 0.95],
  [/^Finishing off/, 1],
];

/** Undefined for a message that says nothing of the progress. */
export const partDone = ({ text }: Said): number | undefined => MILESTONES.find(([message]) => message.test(text))?.[1];
