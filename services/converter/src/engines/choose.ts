import { JobError, type EngineChoice } from '@hyper2kvm/contracts';
import type { GuestFacts } from '../guest/index.js';
import type { Engine } from './engine.js';
import { nativeEngine } from './native.js';
import { noEngine } from './none.js';
import { virtV2vEngine } from './virt-v2v/index.js';

/**
 * The engine for a guest: our own steps for Linux, virt-v2v for Windows, unless the job says otherwise.
 * @throws JobError GUEST_UNSUPPORTED for what neither knows
 */
export function chooseEngine(guest: Pick<GuestFacts, 'type' | 'product'>, choice: EngineChoice = 'auto'): Engine {
  if (guest.type === 'none') return noEngine;
  if (guest.type === 'linux') return choice === 'virt-v2v' ? virtV2vEngine : nativeEngine;
  if (guest.type === 'windows') {
    if (choice !== 'native') return virtV2vEngine;
    throw new JobError('GUEST_UNSUPPORTED', 'Windows is converted by virt-v2v; leave --engine native out', {
      step: 'inspect',
    });
  }
  throw new JobError('GUEST_UNSUPPORTED', `${guest.product} is neither a Linux nor a Windows`, { step: 'inspect' });
}
