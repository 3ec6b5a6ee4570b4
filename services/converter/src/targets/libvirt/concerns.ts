import { concernOf, type Concern, type Machine } from '@hyper2kvm/contracts';
import type { DomainPlan } from './plan.js';
import { swtpmConcerns } from './swtpm.js';

/** What a person should know of the domain, as it was planned. */
export async function domainConcerns(
  plan: DomainPlan,
  { secure_boot }: Pick<Machine, 'secure_boot'>,
): Promise<Concern[]> {
  return [...plannedConcerns(plan, { secure_boot }), ...(await swtpmConcerns(plan))];
}

export function plannedConcerns(
  plan: Pick<DomainPlan, 'nics' | 'network' | 'tpm'>,
  { secure_boot }: Pick<Machine, 'secure_boot'>,
): Concern[] {
  return [
    ...unmappedNetworks(plan).map((name) => {
      const { type, name: place } = plan.network;
      const message = `domain: the network ${name} of the source is not mapped: its NICs are plugged into the ${type} ${place}`;
      return concernOf('NETWORK_UNMAPPED', message);
    }),
    ...(plan.tpm ? [concernOf('TPM_BLANK', 'domain: the TPM of the VM is a new, blank one')] : []),
    ...(secure_boot ? [concernOf('SECURE_BOOT', 'domain: it starts with Secure Boot')] : []),
  ];
}

const unmappedNetworks = ({ nics }: Pick<DomainPlan, 'nics'>): string[] => [
  ...new Set(
    nics.flatMap(({ source_network: name, mapped_by }) =>
      name === undefined || mapped_by !== undefined ? [] : [name],
    ),
  ),
];
