/** A text file as it should be, and why. */
export interface TextPlan {
  /** Equal to the input when nothing is to be done. */
  readonly text: string;
  /** One line for people for each kind of edit: `root=/dev/sda1 → root=UUID=…`. */
  readonly edits: readonly string[];
  /** What names hardware and could not be resolved: left as it is. */
  readonly unresolved: readonly string[];
}

export const unchanged = (text: string): TextPlan => ({ text, edits: [], unresolved: [] });

/** Each line by its own plan; line ends stay, also those of DOS. */
export function planLines(text: string, plan: (line: string, index: number) => TextPlan | undefined): TextPlan {
  const edits = new Set<string>();
  const unresolved = new Set<string>();
  const lines = text.split('\n').map((line, index) => {
    const planned = plan(line, index);
    if (planned === undefined) return line;
    for (const each of planned.edits) edits.add(each);
    for (const each of planned.unresolved) unresolved.add(each);
    return planned.text;
  });
  return { text: lines.join('\n'), edits: [...edits], unresolved: [...unresolved] };
}

/** The plan of a part of a line, with what is before and after it. */
export const within = (before: string, plan: TextPlan, after = ''): TextPlan => ({
  ...plan,
  text: `${before}${plan.text}${after}`,
});

/** One plan after the other, on what the first made. */
export function chained(first: TextPlan, then: (text: string) => TextPlan): TextPlan {
  const second = then(first.text);
  return {
    text: second.text,
    edits: [...new Set([...first.edits, ...second.edits])],
    unresolved: [...new Set([...first.unresolved, ...second.unresolved])],
  };
}
