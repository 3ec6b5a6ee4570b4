#!/usr/bin/env node
// npm run demo: the main job on real parts, from nothing. Sets up what is missing, builds a Debian guest as VMware would run it,
// puts it into a simulated vCenter, moves it to KVM with hyperctl, and proves that it boots. Everything that was started is
// stopped again; the output stays.
import { spawnSync } from 'node:child_process';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const HYPERCTL = path.join(ROOT, 'cli', 'bin', 'run.js');
const VM = 'production-db';
// The database runs as another user when root starts it, and cannot look into root's own folder.
const HOME =
  process.env.HYPER2KVM_DEMO_HOME ??
  (process.getuid() === 0
    ? '/var/lib/hyper2kvm-demo'
    : path.join(process.env.XDG_DATA_HOME ?? path.join(homedir(), '.local/share'), 'hyper2kvm-demo'));

const say = (text) => console.log(`\ndemo: ${text}`);
const started = Date.now();

/** Runs hyperctl against the demo's own stack, on this terminal unless its output is wanted. */
function hyperctl(args, { capture = false, env = {}, allowFailure = false } = {}) {
  const result = spawnSync(process.execPath, [HYPERCTL, ...args], {
    cwd: ROOT,
    env: { ...process.env, HYPER2KVM_HOME: HOME, ...env },
    stdio: ['inherit', capture ? 'pipe' : 'inherit', 'inherit'],
    encoding: 'utf8',
  });
  if (result.status !== 0 && !allowFailure)
    throw new Error(`hyperctl ${args[0]} ended with ${result.status ?? result.signal}`);
  return { status: result.status ?? 1, stdout: result.stdout ?? '' };
}

async function main() {
  const setup = spawnSync(process.execPath, [path.join(ROOT, 'scripts/setup.mjs'), '--demo'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (setup.status !== 0) throw new Error('the set-up failed');
  const { ensureGuest } = await import(path.join(ROOT, 'test/dist/support/guest/guest.js'));
  const { productionDb } = await import(path.join(ROOT, 'test/dist/support/guest/vm.js'));
  const { startVcsim } = await import(path.join(ROOT, 'test/dist/support/vcsim.js'));

  say('a Debian 12 guest as VMware runs it (pvscsi, vmxnet3); built once, about 3 minutes');
  const guest = await ensureGuest();
  const stops = [];
  const stopAll = async () => {
    for (const stop of stops.splice(0).toReversed()) await stop();
  };
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => void stopAll().finally(() => process.exit(130)));
  }
  try {
    say('a simulated vCenter that holds it');
    const vcenter = await startVcsim({ vms: [productionDb(guest)] });
    stops.push(() => vcenter.stop());
    say(`the local stack, in ${HOME}`);
    stops.push(() => hyperctl(['daemon', 'stop', '--all', '--now'], { allowFailure: true }));
    hyperctl(['daemon', 'start', '--all']);
    const args = [
      'convert',
      '--vm',
      VM,
      '--vcenter',
      vcenter.host,
      '--username',
      vcenter.username,
      '--thumbprint',
      vcenter.thumbprint,
      '--verify-boot',
    ];
    say(`hyperctl ${args.join(' ')}`);
    hyperctl(args, { env: { VSPHERE_PASSWORD: vcenter.password } });
    const [newest] = JSON.parse(hyperctl(['list', '--json'], { capture: true }).stdout).jobs;
    const job = JSON.parse(hyperctl(['status', '--job', newest.job_id, '--json'], { capture: true }).stdout);
    return { job, stopAll };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

try {
  const { job, stopAll } = await main();
  await stopAll();
  say(`done in ${Math.round((Date.now() - started) / 1000)} s; nothing is left running, and this stays:`);
  for (const file of job.files) console.log(`  disk:       ${file}`);
  console.log(`  domain:     ${job.domain_xml}`);
  console.log(`  serial log: ${job.proof.serial_log}`);
  if (job.proof.screenshot) console.log(`  screenshot: ${job.proof.screenshot}`);
} catch (error) {
  console.error(`demo: ${error.message}`);
  process.exitCode = 1;
}
