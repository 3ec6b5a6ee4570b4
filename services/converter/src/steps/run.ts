import path from 'node:path';
import { concernOf, JobError, type ConversionOptions, type ConversionStep, type Machine } from '@hyper2kvm/contracts';
import type { Appliance, GuestFacts } from '../guest/index.js';
import type { StepReporter } from '../progress.js';
import type { WorkPort } from '../work.js';
import { unifiedDiff } from './diff.js';
import type { Step, StepContext, StepState } from './step.js';

export interface StepsInput {
  readonly appliance: Appliance;
  readonly guest: GuestFacts;
  readonly machine: Machine;
  readonly generatedMacs: readonly string[];
  readonly options: ConversionOptions;
  /** Of the job, for temporary files. */
  readonly folder: string;
  readonly dryRun: boolean;
  readonly work: Pick<WorkPort, 'log' | 'signal'>;
  readonly reporter: Pick<StepReporter, 'step'>;
}

/** Runs the steps in their order. */
export async function runSteps(steps: readonly Step[], input: StepsInput): Promise<StepState> {
  const state: StepState = { changes: [], concerns: [], pinned: [], kernels: [], initramfsStale: false };
  for (const step of steps) {
    await input.reporter.step(step.name, () => runStep(step, contextFor(step.name, input, state)));
  }
  return state;
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

function contextFor(step: ConversionStep, input: StepsInput, state: StepState): StepContext {
  const { appliance, guest, machine, generatedMacs, options, folder, dryRun, work } = input;
  const log = (message: string): void => work.log('info', message, { step });
  return {
    appliance,
    guest,
    machine,
    generatedMacs,
    options,
    folder,
    signal: work.signal,
    dryRun,
    state,
    log,
    concern: (code, message) => {
      state.concerns.push(concernOf(code, message));
      work.log('warn', message, { step });
    },
    change: (file, summary) => void state.changes.push({ step, file, summary }),
    async edit(file, before, after, ...summaries) {
      if (before === after) return;
      if (before === undefined) await appliance.call(['mkdir-p', path.posix.dirname(file)]);
      await appliance.writeText(file, after);
      for (const each of summaries) log(`${step}: ${each}`);
      const diff = unifiedDiff(file, before, after);
      const summary = summaries.join('; ') || (before === undefined ? 'written' : 'changed');
      state.changes.push({ step, file, summary, ...(diff === undefined ? {} : { diff }) });
    },
  };
}
