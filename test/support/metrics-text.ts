/** Prometheus' text format, read back. */
import { spawnSync } from 'node:child_process';
import { prometheusProgram } from './prometheus.js';

export interface Sample {
  /** With `_bucket`, `_sum`, `_count` where the type has them. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}
export interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;
const NUMBERS: Readonly<Record<string, number>> = {
  '+Inf': Infinity,
  '-Inf': -Infinity,
  NaN: Number.NaN,
  Nan: Number.NaN,
};

/** By name. Throws where a line is none of the format. */
export function parseMetrics(text: string): Map<string, Family> {
  const families = new Map<string, { type: string; help: string; samples: Sample[] }>();
  let current = '';
  for (const line of text.split('\n')) {
    const [, help, helpText = ''] = /^# HELP (\S+) (.*)$/.exec(line) ?? [];
    const [, typed, type = ''] = /^# TYPE (\S+) (\w+)$/.exec(line) ?? [];
    if (help !== undefined) families.set(help, { type: '', help: helpText, samples: [] });
    else if (typed !== undefined) {
      current = typed;
      const family = families.get(typed);
      if (family === undefined) throw new Error(`${typed} has no help`);
      family.type = type;
    } else if (line !== '') {
      const [, name, labels = '', value = ''] = SAMPLE.exec(line) ?? [];
      if (name === undefined || !name.startsWith(current)) throw new Error(`no sample of ${current}: ${line}`);
      families.get(current)?.samples.push({
        name,
        labels: Object.fromEntries([...labels.matchAll(LABEL)].map(([, key = '', found = '']) => [key, found])),
        value: NUMBERS[value] ?? Number(value),
      });
    }
  }
  return families;
}

/** The value of one series; undefined where there is none. */
export function valueOf(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''));
  const wanted = Object.entries(labels);
  return family?.samples.find(
    (sample) =>
      sample.name === name &&
      Object.keys(sample.labels).length === wanted.length &&
      wanted.every(([key, value]) => sample.labels[key] === value),
  )?.value;
}

/** What `promtool check metrics` says of it; '' where it has nothing to say. */
export function lintMetrics(text: string): string {
  const { status, stdout, stderr, error } = spawnSync(prometheusProgram('promtool'), ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  return status === 0 && `${stdout}${stderr}` === '' ? '' : `exit ${status}: ${stdout}${stderr}`;
}
