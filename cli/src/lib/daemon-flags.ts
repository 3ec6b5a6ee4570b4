import { Flags } from '@oclif/core';
import { UsageError } from './errors.js';

export const HOME_FLAG = {
  home: Flags.string({
    description:
      'Folder of the local stack [default: HYPER2KVM_HOME, /var/lib/hyper2kvm for root, ~/.local/share/hyper2kvm else].',
  }),
};

/** Single services are not started or stopped by themselves: a stack with a part missing is none. */
export function requireAll(all: boolean, verb: string): void {
  if (!all) throw new UsageError(`what is to ${verb}?`, `hyperctl daemon ${verb} --all`);
}
