import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { removeTargets, writeTargets } from '../src/stack/prometheus-targets.js';

it('tells a Prometheus each service by a name that stays when its port moves', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'h2k-targets-'));
  const file = path.join(folder, 'targets.json');
  try {
    writeTargets(file, [
      { name: 'gateway', port: 8080 },
      { name: 'exporter', port: 40123 },
      { name: 'nowhere', port: null },
    ]);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual([
      { targets: ['127.0.0.1:8080'], labels: { service: 'gateway', instance: `${hostname()}-gateway` } },
      { targets: ['127.0.0.1:40123'], labels: { service: 'exporter', instance: `${hostname()}-exporter` } },
    ]);
    // Prometheus runs as another user.
    expect(statSync(file).mode & 0o777).toBe(0o644);
    expect(readdirSync(folder)).toEqual(['targets.json']);
    removeTargets(file);
    removeTargets(file);
    expect(existsSync(file)).toBe(false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
