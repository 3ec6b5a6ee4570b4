import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { allQueries, dashboards, interpolate, rules, selectorsOf, type Panel } from './grafana.js';
import { GRAFANA } from './prometheus.js';

const read = (file: string): string => readFileSync(path.join(GRAFANA, file), 'utf8');
const sources = (
  parse(read('provisioning/datasources/hyper2kvm.yaml')) as { datasources: { uid: string; type: string }[] }
).datasources;
/** Rows and texts ask nothing. */
const asks = ({ type }: Panel): boolean => type !== 'row' && type !== 'text';

describe.each(dashboards().map((dashboard) => [dashboard.name, dashboard] as const))('%s', (name, dashboard) => {
  it('is a current model of a dashboard under an address that stays', () => {
    expect(dashboard.uid).toMatch(/^hyper2kvm-[a-z]+$/);
    expect(dashboard.title).not.toBe('');
    expect(dashboard.description).not.toBe('');
    expect(dashboard.tags).toContain('hyper2kvm');
    expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(39);
    // Given by Grafana itself: it would overwrite a dashboard of this number.
    expect(dashboard).not.toHaveProperty('id');
  });

  it('has no two panels of one id, one title or one place', () => {
    for (const key of ['id', 'title'] as const)
      expect(new Set(dashboard.panels.map((panel) => panel[key])).size).toBe(dashboard.panels.length);
    for (const { gridPos: a, title } of dashboard.panels) {
      expect(a.x + a.w, title).toBeLessThanOrEqual(24);
      for (const { gridPos: b, title: other } of dashboard.panels) {
        const isApart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
        expect(a === b || isApart, `${title} and ${other}`).toBe(true);
      }
    }
  });

  it.each(dashboard.panels.filter(asks).map((panel) => [panel.title, panel] as const))('%s', (title, panel) => {
    expect(title).not.toBe('');
    expect(panel.description).toMatch(/.{20}/);
    expect(panel.fieldConfig?.defaults.unit).toMatch(/\w/);
    expect(panel.targets?.length).toBeGreaterThan(0);
    for (const { type, uid } of [panel.datasource, ...(panel.targets ?? []).map(({ datasource }) => datasource)].map(
      (one) => one ?? { type: '', uid: '' },
    )) {
      const variable = dashboard.templating.list.find((one) => `\${${one.name}}` === uid);
      expect(variable, `${name}: ${uid}`).toMatchObject({ type: 'datasource', query: type });
      expect(sources).toContainEqual(expect.objectContaining({ type, uid: variable?.current.value }));
    }
  });
});

it('no two dashboards have one uid', () => {
  const uids = dashboards().map(({ uid }) => uid);
  expect(new Set(uids).size).toBe(uids.length);
});

it('queries and rules use metrics alone that docs/metrics.md lists', () => {
  const docs = readFileSync(path.join(GRAFANA, '../../docs/metrics.md'), 'utf8');
  const recorded = new Set(rules().map(({ record }) => record));
  const used = allQueries()
    .filter(({ kind }) => kind === 'prometheus')
    .flatMap(({ expression }) => expression.match(/\b(?:hyper2kvm|hypervisord)[\w:]+/g) ?? []);
  expect(used.length).toBeGreaterThan(100);
  const unknown = used
    .filter((name) => !recorded.has(name))
    .map((name) => name.replace(/_(bucket|count|sum)$/, ''))
    .filter((name) => !docs.includes(`| \`${name}\` `));
  expect([...new Set(unknown)]).toEqual([]);
});

const queriesFor = (wanted: string) =>
  allQueries()
    .filter(({ kind }) => kind === wanted)
    .map(({ name, expression }) => [name, expression] as const);

describe('queries that no server is asked here', () => {
  // As Loki names what comes by OTLP: service.name is the label service_name, attributes keep their names.
  it.each(queriesFor('loki'))('%s: lines of services, of one job', (_, expression) => {
    expect(expression).toMatch(
      /\{service_name=~"gateway\|exporter\|converter\|notifier\|hyperctl"\} \| job_id = "\$job"/,
    );
  });

  it.each(queriesFor('tempo'))('%s: spans of one job', (_, expression) => {
    expect(expression).toContain('{ span.job.id = "$job"');
  });
});

describe('compose.yaml', () => {
  const compose = parse(read('compose.yaml'), { merge: true }) as {
    services: Record<
      string,
      { image: string; network_mode: string; volumes: string[]; user: string; command?: string[] }
    >;
    volumes: Record<string, unknown>;
  };
  const services = Object.entries(compose.services);

  it('has the five services', () => {
    expect(Object.keys(compose.services)).toEqual(['grafana', 'prometheus', 'tempo', 'loki', 'otel-collector']);
  });

  it.each(services)('%s: pinned, not as root, with files that are there', (_, { image, user, volumes }) => {
    expect(image).toMatch(/:v?\d+\.\d+\.\d+$/);
    expect(user).toMatch(/^[1-9]\d*/);
    for (const volume of volumes) {
      const [source = ''] = volume.replace(/^\$\{\w+:-(.*?)\}/, '$1').split(':');
      if (source.startsWith('.')) {
        expect(existsSync(path.join(GRAFANA, source)), source).toBe(true);
        expect(volume).toMatch(/:ro$/);
      } else expect(Object.keys(compose.volumes)).toContain(source);
    }
  });

  it('listens on loopback alone', () => {
    // On the host's network nothing is published: each listens where it is told to.
    for (const [name, { network_mode: network }] of services) expect(network, name).toBe('host');
    expect(compose.services['prometheus']?.command).toContain('--web.listen-address=127.0.0.1:9090');
    expect(read('compose.yaml')).toContain('GF_SERVER_HTTP_ADDR: 127.0.0.1');
    for (const file of ['tempo.yaml', 'loki.yaml', 'otel-collector.yaml']) expect(read(file)).not.toContain('0.0.0.0');
    for (const file of ['tempo.yaml', 'loki.yaml'])
      expect(parse(read(file))).toMatchObject({
        server: { http_listen_address: '127.0.0.1', grpc_listen_address: '127.0.0.1' },
      });
  });

  it('lets nobody in without a password that somebody chose', () => {
    expect(read('compose.yaml')).toMatch(/GF_SECURITY_ADMIN_PASSWORD: \$\{GRAFANA_ADMIN_PASSWORD:\?/);
    expect(read('compose.yaml')).toContain("GF_AUTH_ANONYMOUS_ENABLED: 'false'");
  });
});

describe('as Grafana does it', () => {
  it('replaces its variables', () => {
    const at = { rangeSeconds: 86_400, scrapeSeconds: 15 };
    expect(interpolate('rate(a[$__rate_interval])', at)).toBe('rate(a[102s])');
    expect(interpolate('rate(a[$__rate_interval])', { ...at, rangeSeconds: 3600 })).toBe('rate(a[60s])');
    expect(interpolate('a{instance=~"$instance"}[${__range}]', at)).toBe('a{instance=~".+"}[86400s]');
    expect(() => interpolate('a{b="$job"}', at)).toThrow('$job is not replaced');
  });

  it('finds the selectors of an expression', () => {
    expect(selectorsOf('sum by (up_by) (hyper2kvm_jobs{status=~"a|b"}) / hyper2kvm_jobs or up{job="x"} == 0')).toEqual([
      'hyper2kvm_jobs{status=~"a|b"}',
      'hyper2kvm_jobs',
      'up{job="x"}',
    ]);
  });
});
