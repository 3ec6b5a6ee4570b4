import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadConfig, TargetsConfig } from '../src/index.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'h2k-targets-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const load = (yaml: string, env: NodeJS.ProcessEnv = {}): TargetsConfig => {
  const file = path.join(folder, 'config.yaml');
  writeFileSync(file, yaml);
  return loadConfig({ targets: TargetsConfig }, { HYPER2KVM_CONFIG: file, ...env }).targets;
};

it('there are none unless they are named', () => {
  expect(load('')).toEqual({});
  expect(load('targets:\n  kvm1:\n    libvirt_uri: qemu+ssh://root@kvm1/system')).toEqual({
    kvm1: { libvirt_uri: 'qemu+ssh://root@kvm1/system' },
  });
  expect(load('', { HYPER2KVM_TARGETS__KVM1__LIBVIRT_URI: 'qemu:///system' })).toEqual({
    kvm1: { libvirt_uri: 'qemu:///system' },
  });
});

it('what is wrong is told with its place', () => {
  const bad = [
    'targets:',
    '  "a b": {libvirt_uri: "qemu:///system"}',
    '  kvm1: {}',
    '  kvm2: {libvirt_uri: "-c evil"}',
    '  kvm3: {libvirt_uri: "qemu:///system", network_map: [{from: VM Network, to: "a b"}], bridge: br0}',
  ].join('\n');
  let message = '';
  try {
    load(bad);
  } catch (error) {
    message = (error as Error).message;
  }
  expect(message).toMatch(/targets\.a b/);
  expect(message).toMatch(/targets\.kvm1\.libvirt_uri/);
  expect(message).toMatch(/targets\.kvm2\.libvirt_uri: a libvirt URI/);
  expect(message).toMatch(/targets\.kvm3\.network_map\.0\.to: a bridge/);
  expect(message).toMatch(/targets\.kvm3: .*bridge/);
});
