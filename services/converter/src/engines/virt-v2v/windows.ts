import { rm } from 'node:fs/promises';
import path from 'node:path';
import { concernOf } from '@hyper2kvm/contracts';
import type { EngineInput, EngineResult } from '../engine.js';
import { openVirtioWin, stageDrivers, type VirtioWin } from './drivers/index.js';
import { runVirtV2v } from './run.js';
import { planWindows, windowsChanges, windowsDevices, type WindowsPlan } from './windows/index.js';

/** virt-v2v says it of every virtio-win without the agent's installer; the plan has said why there is none. */
const ABOUT_AGENT = /QEMU Guest Agent/;

/** A Windows: checked first, then given the virtio drivers that were found for it. */
export async function convertWindows(input: EngineInput, done: (part: number) => void): Promise<EngineResult> {
  const { appliance, dryRun, work } = input;
  const virtioWin = await openVirtioWin(input.virtioWin);
  try {
    const plan = await planWindows(input, virtioWin);
    await appliance.close();
    const { drivers } = plan;
    work.log('info', `Drivers for Windows build ${plan.release.build}: ${drivers.names.join(', ')}`, {
      step: 'virt-v2v',
    });
    const warnings = dryRun ? [] : await install(input, plan, virtioWin, done);
    const concerns = [
      ...plan.concerns,
      ...warnings.filter((text) => !ABOUT_AGENT.test(text)).map((text) => concernOf('DRIVERS', `virt-v2v: ${text}`)),
    ];
    for (const { message } of concerns) work.log('warn', message, { step: 'virt-v2v' });
    const devices = windowsDevices(plan, warnings);
    return {
      changes: windowsChanges(plan),
      concerns,
      // Windows knows NICs by their MAC addresses, which the domain keeps.
      pinned: [],
      kernels: [],
      ...(devices === undefined ? {} : { devices }),
    };
  } finally {
    await virtioWin.close();
  }
}

/** @returns virt-v2v's warnings */
async function install(
  input: EngineInput,
  { drivers, agent, release }: WindowsPlan,
  virtioWin: VirtioWin,
  done: (part: number) => void,
): Promise<string[]> {
  const folder = path.join(input.folder, 'drivers');
  try {
    await stageDrivers(virtioWin, drivers, agent, release, folder);
    const env = { VIRTIO_WIN: path.join(folder, 'virtio-win') };
    const said = await runVirtV2v({ ...input, root: input.guest.root, env }, done);
    return said.filter(({ type }) => type === 'warning').map(({ text }) => text);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
