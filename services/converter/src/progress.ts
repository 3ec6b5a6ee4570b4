import { CONVERSION_STEPS, type ConversionStep } from '@hyper2kvm/contracts';
import { withSpan } from '@hyper2kvm/runtime';
import type { WorkPort } from './work.js';

/** Seconds that each step took on a plain guest without KVM: the weights of the percentage. */
const WEIGHTS: Record<ConversionStep, number> = {
  inspect: 25,
  fstab: 1,
  network: 2,
  initramfs: 60,
  bootloader: 11,
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
  readonly durationsMs: Readonly<Partial<Record<ConversionStep, number>>>;
}

/** Progress of a conversion: which steps there will be is known from the start. */
export function stepReporter(work: WorkPort, planned: readonly ConversionStep[]): StepReporter {
  const total = planned.reduce((sum, name) => sum + WEIGHTS[name], 0);
  const durationsMs: Partial<Record<ConversionStep, number>> = {};
  let done = 0;
  let completed = 0;
  const report = (step: ConversionStep, part = 0): void =>
    work.progress({
      phase: 'conversion',
      percent_complete: Math.min(100, Math.round(((done + WEIGHTS[step] * part) / total) * 1000) / 10),
      step,
      steps_completed: completed,
      steps_total: planned.length,
    });
  return {
    durationsMs,
    async step(name, action) {
      work.signal.throwIfAborted();
      report(name);
      const start = performance.now();
      const result = await withSpan(`conversion.${name}`, { 'job.id': work.jobId, step: name }, () =>
        action((part) => report(name, part)),
      );
      durationsMs[name] = Math.round(performance.now() - start);
      done += WEIGHTS[name];
      completed += 1;
      report(name);
      return result;
    },
  };
}

/** The steps of one conversion, in the order of the contract. */
export function plannedSteps(options: { verify_boot: boolean; to_libvirt: boolean }): ConversionStep[] {
  return CONVERSION_STEPS.filter(
    (name) => (name !== 'proof' || options.verify_boot) && (name !== 'define' || options.to_libvirt),
  );
}
