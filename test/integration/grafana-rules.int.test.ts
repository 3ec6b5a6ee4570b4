/** What Prometheus reads of deploy/grafana, by Prometheus' own tool; and that each alert is told, explained and tried. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { RULE_FILES, RULE_TESTS, rules } from '../support/grafana.js';
import { GRAFANA, prometheusProgram } from '../support/prometheus.js';

const promtool = async (...args: string[]): Promise<string> => {
  const { all, exitCode } = await execa(prometheusProgram('promtool'), args, { all: true, reject: false });
  expect(exitCode, all).toBe(0);
  return all;
};

it('promtool takes the configuration', async () => {
  expect(await promtool('check', 'config', path.join(GRAFANA, 'prometheus/prometheus.yaml'))).toContain(
    `SUCCESS: ${RULE_FILES.length} rule files found`,
  );
});

it('promtool takes the rules', async () => {
  await promtool('check', 'rules', '--lint-fatal', ...RULE_FILES);
});

it('promtool runs the unit tests of the rules', async () => {
  expect(await promtool('test', 'rules', ...RULE_TESTS)).not.toContain('FAILED');
});

interface RuleTest {
  readonly promql_expr_test: readonly { readonly expr: string; readonly exp_samples: readonly unknown[] }[];
}
const tried = RULE_TESTS.flatMap((file) => (parse(readFileSync(file, 'utf8')) as { tests: RuleTest[] }).tests).flatMap(
  (one) => one.promql_expr_test,
);
const headings = new Set(
  [...readFileSync(path.join(GRAFANA, '../../docs/monitoring.md'), 'utf8').matchAll(/^#+ (\w+)$/gm)].map(([, name]) =>
    name?.toLowerCase(),
  ),
);
const alerts = rules().flatMap(({ alert, ...rule }) => (alert === undefined ? [] : [{ alert, ...rule }]));

describe.each(alerts.map((rule) => [rule.alert, rule] as const))('%s', (name, rule) => {
  it('is told with its severity and with what to do', () => {
    expect(name).toMatch(/^Hyper2kvm[A-Z]/);
    expect(rule.for).toMatch(/^[1-9]\d*m$/);
    expect(['critical', 'warning']).toContain(rule.labels?.['severity']);
    expect(rule.annotations?.['summary']).toMatch(/\w/);
    expect(rule.annotations?.['description']).toMatch(/.{60}/);
    const anchor = name.toLowerCase();
    expect(rule.annotations?.['runbook_url']).toMatch(new RegExp(`/docs/monitoring\\.md#${anchor}$`));
    expect(headings).toContain(anchor);
  });

  it('is seen to fire, and to be silent', () => {
    const samples = tried.filter(({ expr }) => expr.includes(`"${name}"`)).map(({ exp_samples: one }) => one.length);
    expect(samples).toContain(0);
    expect(samples.some((count) => count > 0)).toBe(true);
  });
});
