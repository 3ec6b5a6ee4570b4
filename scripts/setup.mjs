#!/usr/bin/env node
// Installs what a clean Debian machine lacks to run, demo and test hyper2kvm, and says each thing it does.
// Plain Node, no dependency: it runs before `npm ci`. It needs no answer, and works as root or with sudo.
//
//   node scripts/setup.mjs            npm packages, build, system packages, nats-server, the vCenter simulator; and for tests
//                                     Prometheus and OpenTelemetry's collector
//   node scripts/setup.mjs --demo     without what only tests need
//   node scripts/setup.mjs --check    only say what is missing (exit 1 if anything is)
//   node scripts/setup.mjs --bench    also what the benches compare with: govc
//   node scripts/setup.mjs --loki     also Grafana Loki, for the queries of the dashboards' logs: ten minutes of CPU
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const CACHE = path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'hyper2kvm');
/** Go tools are installed here rather than in GOPATH, so that emptying one folder undoes it. */
const BIN = path.join(CACHE, 'bin');
/** Our vCenter simulator: a Go program over govmomi's simulator package. */
const VCSIM = {
  name: 'vCenter simulator',
  sources: path.join(ROOT, 'test', 'support', 'vcsim'),
  program: path.join(BIN, 'hyper2kvm-vcsim'),
};
/** OpenTelemetry's collector, of the parts that deploy/grafana and the tests use: three minutes of CPU to build. */
const OTELCOL = {
  name: 'OpenTelemetry collector',
  sources: path.join(ROOT, 'test', 'support', 'otelcol'),
  program: path.join(BIN, 'hyper2kvm-otelcol'),
};
/**
 * The newest release whose main module holds govc: `go install` of a later one answers "module found, but does not contain
 * package …/govc", and wants a second module that not every module proxy has.
 */
const GOVC_VERSION = 'v0.46.3';
const GOVC = path.join(BIN, 'govc');
const LOKI_VERSION = 'v3.7.8';
const LOKI = path.join(BIN, 'loki');
/** Prometheus is taken out of Debian's package rather than installed: a service that listens on every address is not wanted. */
const PROMETHEUS = ['prometheus', 'promtool'].map((name) => path.join(BIN, name));
/** Where Debian's package golang-1.23-go puts its command, which is on nobody's PATH. */
const DEBIAN_GO = '/usr/lib/go-1.23/bin/go';

/** What proves that a package is there → the Debian package that brings it. */
const SYSTEM = {
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-img': 'qemu-utils',
  'qemu-nbd': 'qemu-utils',
  guestfish: 'libguestfs-tools',
  virsh: 'libvirt-clients',
  libvirtd: 'libvirt-daemon-system',
  'virt-xml-validate': 'libvirt-clients',
  openssl: 'openssl',
  xmllint: 'libxml2-utils',
  mmdebstrap: 'mmdebstrap',
  'virt-install': 'virtinst',
  'virt-v2v-in-place': 'virt-v2v',
  hivexget: 'libhivex-bin',
  hivexregedit: 'libwin-hivex-perl',
  xorrisofs: 'xorriso',
  swtpm: 'swtpm',
  swtpm_setup: 'swtpm-tools',
  xz: 'xz-utils',
  zstd: 'zstd',
  lz4: 'lz4',
  bzip2: 'bzip2',
  lzop: 'lzop',
  // Of examples in the docs, which the tests run.
  curl: 'curl',
  jq: 'jq',
  nbdcopy: 'libnbd-bin',
  cpio: 'cpio',
  setsid: 'util-linux',
  pkill: 'procps',
  tmux: 'tmux',
  'nats-server': 'nats-server',
  // Files rather than commands: the appliance's kernel, and UEFI firmware for guests that boot with it.
  '/boot/vmlinuz-*': 'linux-image-cloud-amd64',
  '/usr/share/OVMF/OVMF_CODE.fd': 'ovmf',
  // What lets the appliance mount XFS.
  '/usr/lib/x86_64-linux-gnu/guestfs/supermin.d/packages-xfs': 'libguestfs-xfs',
};

const say = (text) => console.log(`setup: ${text}`);
const check = process.argv.includes('--check');
const bench = process.argv.includes('--bench');
const demo = process.argv.includes('--demo');
const wantsLoki = process.argv.includes('--loki');
process.env.PATH = `${process.env.PATH}:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/go/bin:${BIN}`;

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'], ...options });
  if (result.error) throw new Error(`${command}: ${result.error.message}`);
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${result.status ?? result.signal}`);
}

/** The same without blocking, for what can go on side by side. */
function runBeside(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'], ...options });
    child.once('error', (error) => reject(new Error(`${command}: ${error.message}`)));
    child.once('exit', (status, signal) => {
      if (status === 0) resolve();
      else reject(new Error(`${command} ${args.join(' ')} ended with ${status ?? signal}`));
    });
  });
}

function output(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

function onPath(name) {
  return process.env.PATH.split(':').some((folder) => folder && existsSync(path.join(folder, name)));
}

function present(probe) {
  if (probe === '/boot/vmlinuz-*')
    return (output('sh', ['-c', 'ls /boot/vmlinuz-* /usr/lib/modules/*/vmlinuz 2>/dev/null || true']) ?? '') !== '';
  return probe.startsWith('/') ? existsSync(probe) : onPath(probe);
}

/** As root directly, otherwise through sudo without a prompt. */
function asRoot(command, args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  if (process.getuid() === 0) return run(command, args, { env });
  if (!onPath('sudo'))
    throw new Error(`root is needed for "${command} ${args.join(' ')}": run this as root, or install sudo`);
  return run('sudo', ['-n', 'env', 'DEBIAN_FRONTEND=noninteractive', command, ...args], { env });
}

/** A third party's source that does not answer must not stop us: what is missing shows at the installation. */
function aptUpdate() {
  try {
    asRoot('apt-get', ['update', '-q']);
  } catch (error) {
    say(`${error.message}; going on with the lists that are there`);
  }
}

function systemPackages() {
  const missing = [
    ...new Set(
      Object.entries(SYSTEM)
        .filter(([probe]) => !present(probe))
        .map(([, name]) => name),
    ),
  ];
  if (missing.length === 0) return say('system packages: all there');
  if (check) return lacking.push(...missing);
  if (!onPath('apt-get')) {
    throw new Error(
      `this machine has no apt-get. Install the equivalents of: ${missing.join(' ')} - then run this again`,
    );
  }
  say(`system packages to install: ${missing.join(' ')}`);
  aptUpdate();
  asRoot('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...missing]);
}

/**
 * A Go command. Any from 1.21 on fetches by itself the toolchain that go.mod asks for, given GOTOOLCHAIN=auto. Debian
 * 12 ships 1.19, which cannot; its backports can.
 */
function go() {
  for (const command of ['go', DEBIAN_GO]) {
    const minor = /go1\.(\d+)/.exec(output(command, ['version']) ?? '')?.[1];
    if (Number(minor) >= 21) return command;
  }
  say('Go 1.21 or newer is not on PATH: installing golang-1.23-go from Debian backports');
  const list = '/etc/apt/sources.list.d/hyper2kvm-backports.list';
  if (!existsSync(list)) {
    const sources =
      output('sh', ['-c', 'cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null || true']) ?? '';
    const mirror = /(https?:\/\/\S+?\/debian)\/?(?=\s)/.exec(sources)?.[1] ?? 'http://deb.debian.org/debian';
    const codename = /VERSION_CODENAME=(\S+)/.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'bookworm';
    asRoot('sh', ['-c', `echo "deb ${mirror} ${codename}-backports main" > ${list}`]);
  }
  aptUpdate();
  asRoot('apt-get', ['install', '-q', '-y', '--no-install-recommends', 'golang-1.23-go', 'ca-certificates']);
  return DEBIAN_GO;
}

/** Built again whenever its sources changed: their hash lies beside the program. */
async function goProgram({ name, sources: folder, program }) {
  const stamp = `${program}.sources`;
  const hash = createHash('sha256');
  for (const file of readdirSync(folder).toSorted()) hash.update(file).update(readFileSync(path.join(folder, file)));
  const sources = hash.digest('hex');
  if (existsSync(program) && existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return say(`${name}: there`);
  if (check) return lacking.push(name);
  say(`${name}: go build into ${program}`);
  mkdirSync(BIN, { recursive: true });
  const env = { ...process.env, GOTOOLCHAIN: 'auto', GOFLAGS: '-mod=readonly' };
  // Built aside and renamed: a running program keeps its file, and two builders don't mix.
  const aside = `${program}.${process.pid}`;
  await runBeside(go(), ['build', '-trimpath', '-ldflags=-s -w', '-o', aside, '.'], { cwd: folder, env });
  renameSync(aside, program);
  writeFileSync(stamp, sources);
}

/** VMware's command line, which the bench of exports runs beside ours. Installed aside and renamed, as above. */
async function govc() {
  if (existsSync(GOVC) && output(GOVC, ['version']) !== undefined) return say('govc: there');
  if (check) return lacking.push('govc');
  say(`govc ${GOVC_VERSION}: go install into ${BIN}`);
  const aside = `${GOVC}.${process.pid}`;
  mkdirSync(aside, { recursive: true });
  try {
    const env = { ...process.env, GOTOOLCHAIN: 'auto', GOFLAGS: '-mod=mod', GOBIN: aside };
    await runBeside(go(), ['install', `github.com/vmware/govmomi/govc@${GOVC_VERSION}`], { env });
    renameSync(path.join(aside, 'govc'), GOVC);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

/** Debian's Prometheus and promtool, for the tests of metrics, alerts and dashboards. */
async function prometheus() {
  if (PROMETHEUS.every((file) => existsSync(file)) || ['prometheus', 'promtool'].every(onPath))
    return say('Prometheus: there');
  if (check) return lacking.push('prometheus');
  say(`Prometheus: Debian's package, unpacked into ${BIN}`);
  const aside = path.join(BIN, `prometheus.${process.pid}`);
  mkdirSync(aside, { recursive: true });
  try {
    const download = () => runBeside('apt-get', ['download', '-q', 'prometheus'], { cwd: aside });
    await download().catch(async () => {
      aptUpdate();
      await download();
    });
    const [file] = readdirSync(aside).filter((name) => name.endsWith('.deb'));
    await runBeside('dpkg-deb', ['-x', file, '.'], { cwd: aside });
    for (const target of PROMETHEUS) renameSync(path.join(aside, 'usr', 'bin', path.basename(target)), target);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

/** Its module replaces one of its own packages by a folder that the module proxy's archive lacks: that is taken as published. */
async function loki() {
  if (existsSync(LOKI)) return say('Loki: there');
  if (check) return lacking.push('loki');
  say(`Loki ${LOKI_VERSION}: go build into ${LOKI}; this takes some ten minutes`);
  const aside = path.join(CACHE, `loki.${process.pid}`);
  const env = { ...process.env, GOTOOLCHAIN: 'auto', GOFLAGS: '-mod=mod' };
  try {
    const found = spawnSync(go(), ['mod', 'download', '-json', `github.com/grafana/loki/v3@${LOKI_VERSION}`], {
      cwd: CACHE,
      env,
      encoding: 'utf8',
    });
    const { Dir: sources, Error: problem } = JSON.parse(found.stdout);
    if (sources === undefined) throw new Error(`Loki: ${problem}`);
    cpSync(sources, aside, { recursive: true });
    run('chmod', ['-R', 'u+w', aside]);
    run(go(), ['mod', 'edit', '-dropreplace', 'github.com/grafana/loki/pkg/push'], { cwd: aside, env });
    await runBeside(go(), ['build', '-trimpath', '-o', `${LOKI}.${process.pid}`, './cmd/loki'], { cwd: aside, env });
    renameSync(`${LOKI}.${process.pid}`, LOKI);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

async function npmPackages() {
  const stamp = path.join(ROOT, 'node_modules', '.package-lock.json');
  const fresh = existsSync(stamp) && statSync(stamp).mtimeMs >= statSync(path.join(ROOT, 'package-lock.json')).mtimeMs;
  if (fresh) return say('npm packages: there');
  if (check) return lacking.push('npm packages (npm ci)');
  say('npm packages: npm ci');
  await runBeside('npm', ['ci', '--no-audit', '--no-fund']);
}

async function build() {
  if (check) return;
  say('build: npm run build');
  await runBeside('npm', ['run', '--silent', 'build']);
}

const lacking = [];
try {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    throw new Error(`Node ${process.versions.node} is too old: 20.19 or newer is needed`);
  systemPackages();
  // The simulator takes about as long as the packages and the build together, and needs neither. One build of Go at a time
  // uses all cores.
  const goPrograms = goProgram(VCSIM).then(() => (demo ? undefined : goProgram(OTELCOL)));
  await Promise.all([goPrograms, demo ? undefined : prometheus(), npmPackages().then(build)]);
  if (bench) await govc();
  if (wantsLoki) await loki();
  if (lacking.length > 0) {
    say(`missing: ${lacking.join(', ')}`);
    process.exit(1);
  }
  say('done');
} catch (error) {
  console.error(`setup: ${error.message}`);
  process.exit(1);
}
