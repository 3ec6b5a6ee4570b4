/** EXTLINUX and SYSLINUX: https://wiki.syslinux.org/wiki/index.php?title=Config; keywords in any case. */
export interface ExtlinuxEntry {
  readonly label: string;
  readonly title: string;
  readonly kernel: string;
  readonly initrds: readonly string[];
  readonly commandLine: string;
  readonly isDefault: boolean;
}

export const APPEND_LINE = /^([ \t]*append[ \t]+)(\S.*)$/is;

interface Label {
  readonly label: string;
  title?: string;
  kernel?: string;
  initrds: string[];
  commandLine: string;
}

export interface Extlinux {
  readonly entries: readonly ExtlinuxEntry[];
  /** Other files that are read in its place. */
  readonly includes: readonly string[];
}

export function parseExtlinux(text: string): Extlinux {
  const labels: Label[] = [];
  const includes: string[] = [];
  let [chosen, marked]: (string | undefined)[] = [];
  for (const line of text.split('\n').map((each) => each.trim())) {
    const [, keyword = '', rest = ''] = /^(\w+)[ \t]+(.*)$/.exec(line) ?? [];
    const [label, key] = [labels.at(-1), keyword.toLowerCase()];
    const [first = '', ...others] = rest.split(/[ \t]+/);
    const menu = key === 'menu' ? first.toLowerCase() : '';
    if (key === 'label') labels.push({ label: rest, initrds: [], commandLine: '' });
    else if (key === 'include' || menu === 'include') includes.push(key === 'include' ? first : (others[0] ?? ''));
    else if (key === 'default') chosen = first;
    else if (label === undefined) continue;
    else if (key === 'linux' || key === 'kernel') label.kernel = first;
    else if (key === 'initrd') label.initrds = rest.split(/[ \t,]+/);
    else if (key === 'append') label.commandLine = rest;
    else if (menu === 'default') marked = label.label;
    else if (menu === 'label') label.title = others.join(' ').replace('^', '');
  }
  const starts = labels.filter(({ kernel }) => kernel !== undefined && !/\.(?:c32|bss|0)$/i.test(kernel));
  const fallback = (starts.find(({ label }) => label === (marked ?? chosen)) ?? starts[0])?.label;
  const entries = starts.map(({ kernel = '', initrds, ...rest }) => ({
    ...rest,
    title: rest.title ?? rest.label,
    kernel,
    initrds: initrds.length > 0 ? initrds : inArguments(rest.commandLine),
    isDefault: rest.label === fallback,
  }));
  return { entries, includes };
}

const inArguments = (commandLine: string): string[] =>
  /(?:^|[ \t])initrd=(\S+)/.exec(commandLine)?.[1]?.split(',') ?? [];
