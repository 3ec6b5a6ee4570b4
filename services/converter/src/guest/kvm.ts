import { spawnGuarded } from '@hyper2kvm/runtime';
import { kvmProbe } from '@hyper2kvm/runtime/probes';

/** How QEMU runs guests here. `qemu` is libvirt's word for emulation (TCG). */
export type Accelerator = 'kvm' | 'qemu';

let probed: Promise<Accelerator> | undefined;

/** Whether KVM really works, probed once per process. */
export function accelerator(): Promise<Accelerator> {
  probed ??= probe();
  return probed;
}

async function probe(): Promise<Accelerator> {
  const found = await kvmProbe();
  if (typeof found === 'string') return 'qemu';
  let passed = false;
  const qemu = spawnGuarded(found.command, found.args, {
    onLine: (line) => {
      passed ||= found.passed(line);
    },
  });
  const timer = setTimeout(() => void qemu.kill(), found.limitMs);
  await qemu.exited;
  clearTimeout(timer);
  return passed ? 'kvm' : 'qemu';
}
