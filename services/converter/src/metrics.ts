import { CONVERSION_STEPS, type ConversionStep } from '@hyper2kvm/contracts';
import { counter, gauge, histogram, onChildEnd } from '@hyper2kvm/runtime';

/** Everything that the converter starts; another name becomes `other`. */
const PROGRAMS: ReadonlySet<string> = new Set([
  'guestfish',
  'qemu-img',
  'qemu-nbd',
  'qemu-system-x86_64',
  'swtpm',
  'virsh',
  'virt-v2v-in-place',
  // Of initramfs images.
  'bzip2',
  'gzip',
  'lz4',
  'lzop',
  'xz',
  'zstd',
]);
/** Limits what it starts, and that is always the same here. */
const LIMITED: Readonly<Record<string, string>> = { prlimit: 'qemu-img' };

const active = gauge('hyper2kvm_active_conversions', 'Conversions that run now');
const steps = histogram<'step' | 'status'>(
  'hyper2kvm_step_duration_seconds',
  'Duration of the steps of conversions',
  { step: CONVERSION_STEPS, status: ['success', 'failed'] },
  { buckets: [0.1, 1, 5, 15, 60, 300, 900, 3600, 14_400] },
);
const proofs = counter<'result'>(
  'hyper2kvm_boot_proofs_total',
  'Converted guests that were started to prove that they boot',
  {
    result: ['booted', 'failed'],
  },
);
const children = histogram<'program'>(
  'hyper2kvm_child_process_duration_seconds',
  'How long child processes lived, by program',
  { program: [...PROGRAMS] },
  { buckets: [0.01, 0.1, 1, 5, 15, 60, 300, 900, 3600] },
);

onChildEnd((program, seconds) => children.observe({ program: programLabel(program) }, seconds));

/** One of a closed list. */
export function programLabel(program: string): string {
  const name = LIMITED[program] ?? program;
  return PROGRAMS.has(name) ? name : 'other';
}

export async function whileActive<T>(convert: () => Promise<T>): Promise<T> {
  active.inc();
  try {
    return await convert();
  } finally {
    active.dec();
  }
}

/** @param stopped whether it was told to stop (cancelled, drained): that says nothing about the step */
export async function timedStep<T>(step: ConversionStep, run: () => Promise<T>, stopped: () => boolean): Promise<T> {
  const began = performance.now();
  const note = (status: 'success' | 'failed'): void =>
    steps.observe({ step, status }, (performance.now() - began) / 1000);
  try {
    const result = await run();
    note('success');
    return result;
  } catch (error) {
    if (!stopped()) note('failed');
    throw error;
  }
}

export const countProof = (booted: boolean): void => proofs.inc({ result: booted ? 'booted' : 'failed' });
