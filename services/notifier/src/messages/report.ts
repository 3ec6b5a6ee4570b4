/** What a message says, before it is text or HTML. All strings are plain and unescaped. */
export interface Report {
  readonly subject: string;
  readonly outcome: 'completed' | 'failed';
  /** One sentence: what happened. */
  readonly headline: string;
  readonly facts: readonly (readonly [label: string, value: string])[];
  readonly sections: readonly ReportSection[];
}

export interface ReportSection {
  readonly title: string;
  readonly lines: readonly string[];
  /** Lines to be copied as they are: paths and commands. */
  readonly verbatim: boolean;
}

export const section = (title: string, lines: readonly string[], verbatim = false): ReportSection[] =>
  lines.length === 0 ? [] : [{ title, lines, verbatim }];

/** `250.0 GB` as the product writes sizes: 10^9 bytes, one decimal. */
export const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

/** Seconds between two timestamps; never negative, whatever the clocks say. */
export const secondsBetween = (from: string, to: string): number =>
  Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
