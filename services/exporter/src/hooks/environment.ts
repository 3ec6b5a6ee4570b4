import type { HookSubject } from '@hyper2kvm/contracts';

const BASE = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' };

/**
 * The whole environment of a hook's command: `HYPER2KVM_VM_NAME` and the like, and what its configuration adds. What the worker
 * has in its own, passwords among it, is taken away.
 */
export function hookEnvironment(
  about: HookSubject,
  configured: Readonly<Record<string, string>> = {},
  own: NodeJS.ProcessEnv = process.env,
): Record<string, string | undefined> {
  const subject = Object.entries(about).map(([key, value]) => [`HYPER2KVM_${key.toUpperCase()}`, withoutNul(value)]);
  return {
    ...Object.fromEntries(Object.keys(own).map((name) => [name, undefined])),
    ...BASE,
    ...configured,
    ...(Object.fromEntries(subject) as Record<string, string>),
  };
}

/** It would end a variable; no VM of vCenter has it in its name. */
const withoutNul = (value: string | undefined): string => value?.replaceAll('\0', '') ?? '';
