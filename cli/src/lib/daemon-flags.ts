import { Flags } from '@oclif/core';

export const HOME_FLAG = {
  home: Flags.string({
    description:
      'Folder of the local stack [default: HYPER2KVM_HOME, /var/lib/hyper2kvm for root, ~/.local/share/hyper2kvm else].',
  }),
};
