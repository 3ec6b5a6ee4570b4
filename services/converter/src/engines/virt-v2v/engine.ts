import { JobError } from '@hyper2kvm/contracts';
import type { Engine, EngineInput, EngineResult } from '../engine.js';
import { convertLinux } from './linux.js';
import { convertWindows } from './windows.js';

/** virt-v2v-in-place on the overlays: the way for Windows, and on request for Linux. */
export const virtV2vEngine: Engine = {
  name: 'virt-v2v',
  steps: ['virt-v2v'],
  convert: (input) => input.reporter.step('virt-v2v', (done) => named(input, done)),
};

/** Failures name the step. */
async function named(input: EngineInput, done: (part: number) => void): Promise<EngineResult> {
  try {
    return await (input.guest.type === 'windows' ? convertWindows : convertLinux)(input, done);
  } catch (error) {
    if (!(error instanceof JobError) || error.step !== undefined) throw error;
    const code = error.code === 'CHILD_FAILED' ? 'CONVERSION_STEP' : error.code;
    throw new JobError(code, error.message, { step: 'virt-v2v', cause: error });
  }
}
