import path from 'node:path';
import { JobError, type LuksKey } from '@hyper2kvm/contracts';
import { openGuest, type Appliance, type ApplianceOptions, type GuestFacts } from '../guest/index.js';
import { readBootEntries } from '../steps/bootloader/index.js';
import { inittabLine, PATIENCE, PATIENCE_PATH, SCRIPT, SCRIPT_PATH, UNIT, UNIT_LINK, UNIT_PATH } from './agent.js';
import { withSerialConsole } from './console.js';

const INITTAB = '/etc/inittab';

/**
 * Asked before anything is converted: whether a boot proof of this guest is possible at all.
 * @throws JobError GUEST_UNSUPPORTED
 */
export function assertProvable({ type, product, init }: Pick<GuestFacts, 'type' | 'product' | 'init'>): void {
  const reason =
    type === 'none'
      ? 'the VM holds no operating system that could be started'
      : type !== 'linux'
        ? `${product} cannot report from inside, only Linux can`
        : init === 'upstart' || init === 'unknown'
          ? `${product} is started by ${init === 'upstart' ? 'upstart' : 'an unknown init'}; known are systemd, sysvinit and OpenRC`
          : undefined;
  if (reason === undefined) return;
  throw new JobError('GUEST_UNSUPPORTED', `no boot proof: ${reason}; convert it without --verify-boot`, {
    step: 'inspect',
  });
}

/** Puts the reporter into a throw-away overlay, and the guest's console on the serial port. */
export async function injectAgent(
  guest: GuestFacts,
  options: ApplianceOptions & { readonly luksKeys: readonly LuksKey[] },
): Promise<void> {
  assertProvable(guest);
  const { appliance } = await openGuest({ ...options, root: guest.root, noOs: false });
  try {
    await writeLabelled(appliance, SCRIPT_PATH, SCRIPT);
    if (guest.init === 'systemd') {
      await addUnit(appliance);
      if (options.accelerator === 'qemu') await writeInto(appliance, PATIENCE_PATH, PATIENCE);
    } else await addToInittab(appliance);
    await showConsole(appliance, guest);
    await appliance.close();
  } finally {
    await appliance.stop();
  }
}

async function addUnit(appliance: Appliance): Promise<void> {
  await writeLabelled(appliance, UNIT_PATH, UNIT);
  await ensureFolder(appliance, path.posix.dirname(UNIT_LINK));
  await appliance.call(['ln-sf', UNIT_PATH, UNIT_LINK]);
}

async function writeInto(appliance: Appliance, file: string, text: string): Promise<void> {
  await ensureFolder(appliance, path.posix.dirname(file));
  await writeLabelled(appliance, file, text);
}

async function ensureFolder(appliance: Appliance, folder: string): Promise<void> {
  if (await appliance.isDir(folder)) return;
  await appliance.call(['mkdir-p', folder]);
  await label(appliance, folder);
}

async function addToInittab(appliance: Appliance): Promise<void> {
  const inittab = await appliance.readText(INITTAB);
  if (inittab === undefined) {
    throw new JobError('GUEST_UNSUPPORTED', 'no boot proof: the guest has neither systemd nor an /etc/inittab', {
      step: 'proof',
    });
  }
  const busybox = /^::/m.test(inittab);
  await appliance.writeText(INITTAB, `${inittab.replace(/\n?$/, '\n')}${inittabLine(busybox)}\n`);
}

/** An enforcing guest reads no file without a label. The folder's own suits any policy: it is what its files have too. */
async function writeLabelled(appliance: Appliance, file: string, text: string): Promise<void> {
  await appliance.writeText(file, text);
  await label(appliance, file);
}

async function label(appliance: Appliance, file: string): Promise<void> {
  const name = 'security.selinux';
  const context = (await appliance.attempt(['lgetxattr', path.posix.dirname(file), name])).split(/[\0\n]/)[0] ?? '';
  if (!/^[\w:.,-]+$/.test(context)) return;
  await appliance.call(['lsetxattr', name, context, String(context.length), file]);
}

async function showConsole(appliance: Appliance, guest: GuestFacts): Promise<void> {
  const files = new Set((await readBootEntries(appliance, guest)).map(({ file }) => file));
  for (const file of files) {
    const before = await appliance.readText(file);
    const after = withSerialConsole(before ?? '');
    if (before !== undefined && after !== before) await appliance.writeText(file, after);
  }
}
