import { Severity, type Concern, type ConcernCode } from '@hyper2kvm/contracts';

/** What a converter tells in its own words, knowing more. */
const TOLD_ONCE: ReadonlySet<string> = new Set<ConcernCode>(['TPM_BLANK', 'SECURE_BOOT', 'NETWORK_UNMAPPED', 'SPACE']);

/** Concerns of several askers as one list, the worst first, nothing twice. `known` are those that workers told. */
export function mergeConcerns(own: readonly Concern[], known: readonly Concern[]): Concern[] {
  const told = new Set(known.map(({ code }) => code));
  const all = [...own.filter(({ code }) => !TOLD_ONCE.has(code) || !told.has(code)), ...known];
  const unique = new Map(all.map((concern) => [`${concern.code} ${concern.message}`, concern]));
  return [...unique.values()].toSorted((one, other) => rank(other) - rank(one));
}

const rank = ({ severity }: Concern): number => Severity.options.indexOf(severity);
