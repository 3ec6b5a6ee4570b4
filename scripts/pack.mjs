#!/usr/bin/env node
// Makes the npm package hyperctl: the client alone, in one tarball without dependencies, so that it installs without network.
// The services are no part of it.
//
//   npm run pack:cli                     builds, and writes cli/pack/hyperctl-<version>.tgz and cli/pack/package/
//   npm run pack:cli -- --out FOLDER     there instead
//   npm run pack:cli -- --no-build       from what was built before
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bundle } from './pack/bundle.mjs';
import { completions } from './pack/completions.mjs';
import { licenses } from './pack/licenses.mjs';
import { manual } from './pack/manual.mjs';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const CLI = path.join(ROOT, 'cli');
const { values: given } = parseArgs({
  options: {
    out: { type: 'string', default: path.join(CLI, 'pack') },
    'no-build': { type: 'boolean', default: false },
  },
});
const out = path.resolve(given.out);
const folder = path.join(out, 'package');
const { version, ...source } = JSON.parse(readFileSync(path.join(CLI, 'package.json'), 'utf8'));

if (!given['no-build']) run('npx', ['tsc', '-b', 'cli'], ROOT);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
writeJson('package.json', packageJson());

const packages = await bundle({ cli: CLI, folder, oclif: source.oclif });
const manifest = await writeManifest();
write('THIRD-PARTY-LICENSES', licenses(packages));
write('man/hyperctl.1', await manual({ cli: CLI, manifest, version }));
for (const [name, script] of Object.entries(await completions(CLI))) write(`completions/${name}`, script);
copyFileSync(path.join(CLI, 'README.md'), path.join(folder, 'README.md'));
for (const name of ['LICENSE', 'CHANGELOG.md']) copyFileSync(path.join(ROOT, name), path.join(folder, name));
openToAll(folder);

// --ignore-scripts: there are none, and a user's npmrc shall not bring any.
run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', out], folder, 'ignore');
const tarball = path.join(out, `hyperctl-${version}.tgz`);
const size = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;
console.log(
  `pack: ${tarball} (${size(statSync(tarball).size)}; unpacked ${size(unpacked(folder))}, ${packages.length} packages within, no dependencies)`,
);

function packageJson() {
  const root = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  return {
    name: 'hyperctl',
    version,
    description: 'Command line of hyper2kvm: moves virtual machines from VMware vSphere to KVM.',
    keywords: ['vmware', 'vsphere', 'kvm', 'libvirt', 'migration', 'v2v'],
    license: root.license,
    type: 'module',
    engines: root.engines,
    bin: { hyperctl: 'bin/run.js' },
    man: ['./man/hyperctl.1'],
    oclif: source.oclif,
  };
}

/** What the commands are, so that a command can be found and --help be printed without loading them all. */
async function writeManifest() {
  const { Plugin } = createRequire(path.join(CLI, 'package.json'))('@oclif/core');
  const plugin = new Plugin({
    root: folder,
    isRoot: true,
    type: 'core',
    ignoreManifest: true,
    errorOnManifestCreate: true,
  });
  await plugin.load();
  writeJson('oclif.manifest.json', plugin.manifest, 0);
  return plugin.manifest;
}

function write(name, text) {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function writeJson(name, value, indent = 2) {
  write(name, `${JSON.stringify(value, undefined, indent)}\n`);
}

/** Root installs for everybody, and a tarball made under umask 077 would be for root only. */
function openToAll(top) {
  for (const entry of readdirSync(top, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    chmodSync(file, entry.isDirectory() || entry.parentPath === path.join(top, 'bin') ? 0o755 : 0o644);
  }
}

function unpacked(top) {
  const files = readdirSync(top, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, { parentPath, name }) => sum + statSync(path.join(parentPath, name)).size, 0);
}

function run(command, args, cwd, output = 'inherit') {
  const { status, error } = spawnSync(command, args, { cwd, stdio: ['ignore', output, 'inherit'] });
  if (status === 0) return;
  console.error(`pack: ${command} ${args.join(' ')} ${error === undefined ? `ended with ${status}` : error.message}`);
  process.exit(1);
}
