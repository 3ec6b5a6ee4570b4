import path from 'node:path';
import { JobError, type ConversionStep } from '@hyper2kvm/contracts';
import { Appliance, inspect, type GuestFacts } from '../guest/index.js';
import { LINUX_STEPS, type Change, type Step, type StepContext, type StepState } from '../steps/index.js';
import type { Engine, EngineInput, EngineResult } from './engine.js';

/** Our own steps for Linux guests, all in one appliance. */
export const nativeEngine: Engine = {
  name: 'native',
  async convert(input) {
    let appliance: Appliance | undefined;
    try {
      const guest = await input.reporter.step('inspect', async () => {
        appliance = await Appliance.start({
          ...input,
          folder: path.join(input.folder, 'appliance'),
          signal: input.work.signal,
        });
        return look(appliance, input);
      });
      if (appliance === undefined) throw new Error('the appliance was not started');
      const result = await runSteps(appliance, guest, input);
      await appliance.close();
      return result;
    } finally {
      await appliance?.stop();
    }
  },
};

async function look(appliance: Appliance, { work, disks }: EngineInput): Promise<GuestFacts> {
  const guest = await inspect(appliance, disks.length);
  if (guest.type !== 'linux') {
    throw new JobError('GUEST_UNSUPPORTED', `${guest.product} is not a Linux: it cannot be converted yet`, {
      step: 'inspect',
    });
  }
  work.log('info', `Detected: ${guest.product}`, { step: 'inspect' });
  const roots = guest.mountpoints.map((each) => `${each.path} on ${each.device}`).join(', ');
  work.log('info', `File systems: ${roots}`, { step: 'inspect' });
  return guest;
}

async function runSteps(appliance: Appliance, guest: GuestFacts, input: EngineInput): Promise<EngineResult> {
  const changes: Change[] = [];
  const concerns: string[] = [];
  const state: StepState = { changes, concerns, pinned: [], kernels: [], initramfsStale: false };
  for (const step of LINUX_STEPS) {
    await input.reporter.step(step.name, () => runStep(step, contextFor(step.name, appliance, guest, input, state)));
  }
  return { guest, changes, concerns, pinned: state.pinned, kernels: state.kernels };
}

/** A step's failure names the step; what it says of the guest stays as it is. */
async function runStep(step: Step, context: StepContext): Promise<void> {
  try {
    await step.run(context);
  } catch (error) {
    if (!(error instanceof JobError) || error.step !== undefined) throw error;
    const code = error.code === 'CHILD_FAILED' ? 'CONVERSION_STEP' : error.code;
    throw new JobError(code, `${step.name}: ${error.message}`, { step: step.name, cause: error });
  }
}

function contextFor(
  step: ConversionStep,
  appliance: Appliance,
  guest: GuestFacts,
  { machine, generatedMacs, options, work }: EngineInput,
  state: StepState,
): StepContext {
  return {
    appliance,
    guest,
    machine,
    generatedMacs,
    options,
    state,
    log: (message) => work.log('info', message, { step }),
    concern: (message) => {
      state.concerns.push(message);
      work.log('warn', message, { step });
    },
    change: (file, summary) => void state.changes.push({ step, file, summary }),
  };
}
