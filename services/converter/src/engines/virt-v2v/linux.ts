import { concernOf, JobError } from '@hyper2kvm/contracts';
import type { EngineInput, EngineResult } from '../engine.js';
import { compareVersions } from '../../steps/kernels.js';
import { runVirtV2v } from './run.js';

/** A Linux by virt-v2v, where the job asks for it. What it does to the guest it does not say in detail. */
export async function convertLinux(input: EngineInput, done: (part: number) => void): Promise<EngineResult> {
  const { appliance, guest, options, dryRun, work } = input;
  if (guest.luks.length > 0) {
    const message = 'virt-v2v is given no keys of encrypted volumes; leave --engine virt-v2v out';
    throw new JobError('GUEST_UNSUPPORTED', message);
  }
  const kernels = (await appliance.list('/lib/modules')).filter((name) => /^\d/.test(name)).toSorted(compareVersions);
  await appliance.close();
  const said = dryRun ? [] : await runVirtV2v({ ...input, root: options.root ?? 'single', env: {} }, done);
  const warnings = said.filter(({ type }) => type === 'warning');
  const concerns = [
    concernOf('NETWORK_NAME_UNKNOWN', 'virt-v2v does not keep the names of network interfaces'),
    ...warnings.map(({ text }) => concernOf('GUEST_UNKNOWN', `virt-v2v: ${text}`)),
  ];
  for (const { message } of concerns) work.log('warn', message, { step: 'virt-v2v' });
  return {
    changes: [{ step: 'virt-v2v', file: '', summary: 'converted by virt-v2v' }],
    concerns,
    pinned: [],
    kernels: kernels.toReversed(),
  };
}
