export const CLOUD_CFG = '/etc/cloud/cloud.cfg.d/99-hyper2kvm.cfg';

export interface CloudInput {
  /** Whether the guest has cloud-init. */
  readonly installed: boolean;
  /** `/etc/cloud/cloud-init.disabled`, or `cloud-init=disabled` on the kernel's command line. */
  readonly disabled: boolean;
  /** Whether it ran in the guest before: then there is an instance to be kept. */
  readonly ran: boolean;
  /** Whether the guest has a network configuration that it could overwrite. */
  readonly configured: boolean;
}

/**
 * On KVM there is no VMware to ask for the instance's data, so that cloud-init takes the guest for a new instance, or for
 * none: either way it would set up its own network (DHCP on the first card) over the one that is there, and as a new
 * instance make new SSH host keys. Both are kept: the network by not touching it, the instance by trusting what is cached.
 *
 * @returns the file to write, undefined where cloud-init does no harm
 */
export function planCloudInit({ installed, disabled, ran, configured }: CloudInput): string | undefined {
  if (!installed || disabled || (!ran && !configured)) return undefined;
  const lines = [
    '# Written by hyper2kvm: this machine was set up before it came to KVM. Its network stays as it is.',
    'network: {config: disabled}',
  ];
  if (ran) {
    lines.push(
      '# It is the same instance as before: host keys, hostname and users stay. Remove this file before you make',
      '# other machines from it.',
      'manual_cache_clean: true',
      'ssh_deletekeys: false',
      'preserve_hostname: true',
    );
  }
  return `${lines.join('\n')}\n`;
}
