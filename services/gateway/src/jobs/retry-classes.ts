import { ErrorCode, ERRORS, type Failure } from '@hyper2kvm/contracts';

/** Words of the former configuration for kinds of errors, and the codes that mean the same. */
export const PHRASES: ReadonlyMap<string, readonly ErrorCode[]> = new Map<string, ErrorCode[]>(
  Object.entries({
    'connection timeout': ['VCENTER_UNREACHABLE', 'EXPORT_TRANSFER'],
    'network unreachable': ['VCENTER_UNREACHABLE', 'EXPORT_TRANSFER'],
    'temporary failure': ['VCENTER_BUSY', 'EXPORT_LEASE', 'NO_WORKER'],
    'vm not found': ['VM_NOT_FOUND'],
    'authentication failed': ['VCENTER_LOGIN'],
    'insufficient permissions': ['VCENTER_PERMISSION'],
  }),
);

/** Another attempt would fill the same disk again. */
const NEVER: ReadonlySet<ErrorCode> = new Set(['DISK_FULL']);

/** The codes that an entry of `retryable_errors` or `permanent_errors` names; undefined for one that is not known. */
export function codesOf(entry: string): readonly ErrorCode[] | undefined {
  const word = entry.trim();
  const code = ErrorCode.safeParse(word.toUpperCase());
  return code.success ? [code.data] : PHRASES.get(word.toLowerCase());
}

/** What is wrong with an entry of `retryable_errors`; undefined when nothing is. */
export function problemOfRetryable(entry: string): string | undefined {
  const never = codesOf(entry)?.find((code) => NEVER.has(code));
  return never === undefined ? problemOf(entry) : `${never} is never tried again by itself: nothing frees the space`;
}

/** What is wrong with an entry of either list. */
export const problemOf = (entry: string): string | undefined =>
  codesOf(entry) === undefined
    ? `"${entry}" is not known. Known are ${[...PHRASES.keys()]
        .map((phrase) => `"${phrase}"`)
        .join(', ')}, and the codes ${Object.keys(ERRORS).join(', ')}`
    : undefined;

const codeSet = (entries: readonly string[] = []): Set<ErrorCode> =>
  new Set(entries.flatMap((entry) => codesOf(entry) ?? []));

/** Tells whether a failure is worth another attempt: permanent wins over retryable, that over what the failure says itself. */
export type Retryable = (failure: Failure) => boolean;

export function classify(lists: {
  readonly retryable_errors?: readonly string[] | undefined;
  readonly permanent_errors?: readonly string[] | undefined;
}): Retryable {
  const [retryable, permanent] = [codeSet(lists.retryable_errors), codeSet(lists.permanent_errors)];
  return ({ code, retryable: own }) => !NEVER.has(code) && !permanent.has(code) && (retryable.has(code) || own);
}
