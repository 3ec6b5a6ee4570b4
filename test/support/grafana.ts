/** The dashboards and alert rules of deploy/grafana, and the question whether their queries return what is there. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { ask, GRAFANA } from './prometheus.js';

export interface Target {
  readonly refId: string;
  readonly datasource: { readonly type: string; readonly uid: string };
  readonly expr?: string;
  readonly query?: string;
  readonly instant?: boolean;
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly Target[];
}

export interface Variable {
  readonly type: string;
  readonly name: string;
  readonly query: unknown;
  readonly definition?: string;
  readonly current: { readonly value: string };
  readonly datasource?: { readonly uid: string };
}

export interface Dashboard {
  /** `fleet` of fleet.json */
  readonly name: string;
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly schemaVersion: number;
  readonly tags: readonly string[];
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
}

export interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

const filesOf = (folder: string, ending: string): string[] =>
  readdirSync(path.join(GRAFANA, folder))
    .filter((name) => name.endsWith(ending))
    .toSorted()
    .map((name) => path.join(GRAFANA, folder, name));

export const RULE_FILES = filesOf('prometheus/rules', '.yaml');
export const RULE_TESTS = filesOf('prometheus/tests', '.yaml');

export const dashboards = (): Dashboard[] =>
  filesOf('dashboards', '.json').map((file) => ({
    ...(JSON.parse(readFileSync(file, 'utf8')) as Dashboard),
    name: path.basename(file, '.json'),
  }));

export const rules = (): Rule[] =>
  RULE_FILES.flatMap((file) => (parse(readFileSync(file, 'utf8')) as { groups: { rules: Rule[] }[] }).groups).flatMap(
    (group) => group.rules,
  );

export interface Query {
  /** `fleet / Running A`, or `alert Hyper2kvmDiskLow`. */
  readonly name: string;
  readonly kind: 'prometheus' | 'loki' | 'tempo';
  readonly expression: string;
  /** One value, rather than a course over the time. */
  readonly instant: boolean;
}

/** Every query of every panel and variable, and every alert and recording rule. */
export function allQueries(): Query[] {
  const found: Query[] = [];
  for (const { name: dashboard, panels, templating } of dashboards()) {
    for (const { title, targets = [] } of panels)
      for (const { refId, datasource, expr, query, instant = false } of targets)
        found.push({
          name: `${dashboard} / ${title} ${refId}`,
          kind: datasource.type as Query['kind'],
          expression: expr ?? query ?? '',
          instant,
        });
    for (const { name, type, definition = '' } of templating.list)
      if (type === 'query') {
        // What Grafana asks Prometheus' list of label values for.
        const [, metric = '', label = ''] = /^label_values\((\w+), (\w+)\)$/.exec(definition) ?? [];
        const expression = `count by (${label}) (${metric})`;
        found.push({ name: `${dashboard} / variable ${name}`, kind: 'prometheus', expression, instant: true });
      }
  }
  for (const { alert, record, expr, labels } of rules())
    found.push({
      name: alert === undefined ? `rule ${record} ${labels?.['phase']}` : `alert ${alert}`,
      kind: 'prometheus',
      expression: expr,
      instant: true,
    });
  return found;
}

export interface Replaced {
  /** How much time the dashboard shows. */
  readonly rangeSeconds: number;
  readonly scrapeSeconds: number;
}

/** Points that Grafana asks for: as many as the panel is wide. */
const POINTS = 1000;

/** The expression that Grafana would send: https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/ */
export function interpolate(expression: string, { rangeSeconds, scrapeSeconds }: Replaced): string {
  const interval = Math.max(Math.ceil(rangeSeconds / POINTS), scrapeSeconds);
  const values: Record<string, string> = {
    __interval: `${interval}s`,
    __rate_interval: `${Math.max(interval + scrapeSeconds, 4 * scrapeSeconds)}s`,
    __range: `${rangeSeconds}s`,
    // All workers.
    instance: '.+',
  };
  return expression.replaceAll(/\$\{?(\w+)\}?/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`$${name} is not replaced: ${expression}`);
    return value;
  });
}

/** A query, or several of one panel (`fleet / Failures by code`), and why it may return nothing where all is well. */
export interface AllowedEmpty {
  readonly name: string;
  readonly why: string;
}

/** What tells of nothing but errors. */
export const EMPTY_WHEN_HEALTHY: readonly AllowedEmpty[] = [
  { name: 'fleet / Alerts that fire', why: 'no alert fires' },
  { name: 'fleet / Failures by code', why: 'nothing failed' },
  { name: 'fleet / Retries by code', why: 'nothing was tried again' },
  { name: 'bus-and-database / Refused and failed', why: 'every request was answered as asked' },
  { name: 'alert ', why: 'an alert returns something when it fires' },
];

/** Selectors of series that are not there before something went wrong. */
const ONLY_AFTER_ERRORS = [/^ALERTS\b/, /^hyper2kvm_http_request_duration_seconds_count\{status=~"(5|\[45\])\.\."\}/];

/** The selectors of an expression: a query that may return nothing still has to name what there is. */
export const selectorsOf = (expression: string): string[] => [
  ...new Set(expression.match(/\b(?:hyper2kvm|hypervisord|process|nodejs|up\b|ALERTS)[\w:]*(?:\{[^}]*\})?/g)),
];

interface Answer {
  readonly result: readonly { readonly value?: [number, string]; readonly values?: [number, string][] }[];
}

/** Whether it returns a figure: NaN is none. Throws what Prometheus says of it. */
async function returnsData(url: string, expression: string, instant: boolean, rangeSeconds: number): Promise<boolean> {
  const now = Date.now() / 1000;
  const question = instant
    ? new URLSearchParams({ query: expression })
    : new URLSearchParams({ query: expression, start: `${now - rangeSeconds}`, end: `${now}`, step: '1' });
  const { result } = await ask<Answer>(url, `${instant ? 'query' : 'query_range'}?${question.toString()}`);
  return result.some(({ value, values = [] }) =>
    [...values, ...(value === undefined ? [] : [value])].some(([, v]) => v !== 'NaN'),
  );
}

interface AssertOptions extends Partial<Replaced> {
  /** Beside what is empty where nothing fails. */
  readonly allowedEmpty?: readonly AllowedEmpty[];
}

/**
 * Runs every query for Prometheus of every dashboard, and the expression of every rule. Throws one error with all that return
 * nothing, that Prometheus refuses, or that name series which are not there.
 */
export async function assertQueriesReturnData(
  prometheusUrl: string,
  { allowedEmpty = [], rangeSeconds = 300, scrapeSeconds = 1 }: AssertOptions = {},
): Promise<void> {
  const queries = allQueries().filter(({ kind }) => kind === 'prometheus');
  const allowed = [...EMPTY_WHEN_HEALTHY, ...allowedEmpty];
  const problems = allowed
    .filter(({ name }) => !queries.some((query) => query.name.startsWith(name)))
    .map(({ name }) => `${name}: it is allowed to be empty, and there is no such query`);
  for (const { name, expression, instant } of queries) {
    const sent = interpolate(expression, { rangeSeconds, scrapeSeconds });
    const mayBeEmpty = allowed.some((one) => name.startsWith(one.name));
    try {
      const missing: string[] = [];
      for (const selector of selectorsOf(sent)) {
        const mayBeMissing =
          ONLY_AFTER_ERRORS.some((one) => one.test(selector)) || allowedEmpty.some((one) => name.startsWith(one.name));
        if (!mayBeMissing && !(await returnsData(prometheusUrl, `count(${selector})`, true, rangeSeconds)))
          missing.push(selector);
      }
      if (missing.length > 0) problems.push(`${name}: there is no ${missing.join(', ')}`);
      else if (!mayBeEmpty && !(await returnsData(prometheusUrl, sent, instant, rangeSeconds)))
        problems.push(`${name}: nothing for ${sent}`);
    } catch (error) {
      problems.push(`${name}: ${error instanceof Error ? error.message : String(error)}: ${sent}`);
    }
  }
  if (problems.length > 0)
    throw new Error(`${problems.length} of ${queries.length} queries:\n${problems.toSorted().join('\n')}`);
}
