import type { ConversionOptions, ConversionStep } from '@hyper2kvm/contracts';
import { lasted, withLongSpan } from '@hyper2kvm/runtime';
import type { Engine } from './engines/index.js';
import { BEGINNING } from './steps-told.js';
import { nativeEngine } from './engines/native.js';
import { timedStep } from './metrics.js';
import type { WorkPort } from './work.js';

/** Seconds that each step took on a plain guest without KVM: the weights of the percentage. */
const WEIGHTS: Record<ConversionStep, number> = {
  inspect: 25,
  fstab: 1,
  network: 2,
  'vmware-tools': 2,
  initramfs: 60,
  bootloader: 2,
  selinux: 1,
  'virt-v2v': 120,
  trim: 3,
  check: 2,
  domain: 1,
  proof: 45,
  commit: 6,
  define: 1,
};

export interface StepReporter {
  /**
   * Reports a step as running, runs it, and notes the milliseconds that it took.
   * @param action may tell which part of it (0 to 1) is done
   */
  step<T>(name: ConversionStep, action: (done: (part: number) => void) => Promise<T>): Promise<T>;
  /** What is still to come turned out to be this: the percentage goes on from where it is. */
  plan(remaining: readonly ConversionStep[]): void;
  readonly durationsMs: Readonly<Partial<Record<ConversionStep, number>>>;
}

const sumOf = (names: readonly ConversionStep[]): number => names.reduce((sum, name) => sum + WEIGHTS[name], 0);

/** Progress of a conversion: which steps there will be is known from the start. */
export function stepReporter(work: WorkPort, planned: readonly ConversionStep[]): StepReporter {
  // Percent that was reached when the plan was made, and the seconds that were planned then.
  let reached = 0;
  let total = sumOf(planned);
  let count = planned.length;
  const durationsMs: Partial<Record<ConversionStep, number>> = {};
  let done = 0;
  let completed = 0;
  const percent = (seconds: number): number => Math.min(100, reached + ((100 - reached) * seconds) / total);
  const report = (step: ConversionStep, part = 0): void =>
    work.progress({
      phase: 'conversion',
      percent_complete: Math.round(percent(done + WEIGHTS[step] * part) * 10) / 10,
      step,
      steps_completed: completed,
      steps_total: count,
    });
  return {
    durationsMs,
    plan(remaining) {
      reached = percent(done);
      done = 0;
      total = sumOf(remaining);
      count = completed + remaining.length;
    },
    async step(name, action) {
      work.signal.throwIfAborted();
      report(name);
      work.log('info', BEGINNING[name], { step: name, course: true });
      work.enterStep?.(name);
      const start = performance.now();
      const sofar = (): string => lasted(performance.now() - start);
      const run = (): ReturnType<typeof action> =>
        withLongSpan(`conversion.${name}`, { 'job.id': work.jobId, 'job.attempt': work.attempt, step: name }, () =>
          action((part) => report(name, part)),
        );
      const result = await timedStep(name, run, () => work.signal.aborted).catch((error: unknown) => {
        if (!work.signal.aborted) work.log('error', `${name}: failed after ${sofar()}`, { step: name });
        throw error;
      });
      work.enterStep?.(undefined);
      work.log('info', `${name}: done in ${sofar()}`, { step: name, course: true });
      durationsMs[name] = Math.round(performance.now() - start);
      done += WEIGHTS[name];
      completed += 1;
      report(name);
      return result;
    },
  };
}

type Wanted = Pick<ConversionOptions, 'verify_boot' | 'to_libvirt'>;

/** The steps of one conversion. Until the guest was inspected its engine is taken to be our own. */
export const plannedSteps = (options: Wanted): ConversionStep[] => ['inspect', ...stepsOf(nativeEngine, options)];

/** The steps after the inspection. */
export const stepsOf = (engine: Pick<Engine, 'steps'>, options: Wanted): ConversionStep[] => [
  ...engine.steps,
  'domain',
  ...(options.verify_boot ? (['proof'] as const) : []),
  'commit',
  ...(options.to_libvirt ? (['define'] as const) : []),
];
