/** Boot Loader Specification, type 1: https://uapi-group.org/specifications/specs/boot_loader_specification/ */
import { words } from '../grub2/parse.js';
import { expand } from '../grub2/variables.js';

export interface BlsEntry {
  readonly title?: string;
  readonly version?: string;
  readonly kernel: string;
  readonly initrds: readonly string[];
  readonly commandLine: string;
}

/** A key, blanks, a value; `initrd` and `options` may come several times. Undefined where no Linux is started. */
export function parseBls(text: string, variables: ReadonlyMap<string, string> = new Map()): BlsEntry | undefined {
  const values = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [, key, value] = /^[ \t]*([\w-]+)[ \t]+(\S.*)$/.exec(line.trimEnd()) ?? [];
    if (key === undefined || value === undefined) continue;
    const there = values.get(key);
    if (there) there.push(value);
    else values.set(key, [value]);
  }
  const kernel = values.get('linux')?.at(-1);
  if (kernel === undefined) return undefined;
  const [title, version] = [values.get('title')?.at(-1), values.get('version')?.at(-1)];
  return {
    ...(title === undefined ? {} : { title }),
    ...(version === undefined ? {} : { version }),
    kernel: expand(kernel, variables),
    initrds: words(expand((values.get('initrd') ?? []).join(' '), variables)),
    commandLine: expand((values.get('options') ?? []).join(' '), variables).trim(),
  };
}
