import { setTimeout as sleep } from 'node:timers/promises';
import { JobError } from '@hyper2kvm/contracts';
import { VimFault, isGone, localizedFault } from './faults.js';
import { readProperties } from './properties.js';
import type { VimSession } from './session.js';
import type { CallOptions } from './soap-http.js';
import { arrayOf, child, flag, list, number, ref, text, type Ref } from './values.js';

const READY_LIMIT_MS = 5 * 60_000;
const POLL_MS = 250;
/** What a server that names none uses. */
const DEFAULT_TIMEOUT_SECONDS = 300;

/** A file that a lease offers. */
export interface LeaseDisk {
  /** `/vm-12/ParaVirtualSCSIController0:0` */
  readonly key: string;
  readonly url: string;
  readonly targetId: string | undefined;
  /** SHA-1, of the host that serves it. */
  readonly sslThumbprint: string | undefined;
}

export interface Lease {
  readonly ref: Ref;
  readonly timeoutMs: number;
  readonly disks: readonly LeaseDisk[];
}

export const leaseRef = (id: string): Ref => ({ type: 'HttpNfcLease', id });

/** Asks for the export of a snapshot. The lease is not ready yet. @throws VimFault, also while another lease is held */
export async function requestLease(session: VimSession, snapshot: Ref, options: CallOptions = {}): Promise<Ref> {
  const lease = ref(await session.call('ExportSnapshot', snapshot, {}, options));
  if (lease === undefined) throw new Error('ExportSnapshot gave no lease');
  return lease;
}

/** @throws VimFault that the lease ended with; JobError EXPORT_LEASE after five minutes */
export async function waitUntilReady(session: VimSession, lease: Ref, options: CallOptions = {}): Promise<Lease> {
  const deadline = performance.now() + READY_LIMIT_MS;
  for (;;) {
    const properties = await readProperties(session, lease, ['state', 'error', 'info'], options);
    const state = text(properties.state);
    if (state === 'ready') return readLease(lease, properties.info);
    if (state === 'error') throw localizedFault(properties.error);
    if (performance.now() > deadline)
      throw new JobError('EXPORT_LEASE', `the export lease was not ready within ${READY_LIMIT_MS / 60_000} minutes`);
    await sleep(POLL_MS, undefined, { signal: options.signal });
  }
}

function readLease(lease: Ref, info: unknown): Lease {
  const urls = child(info, 'deviceUrl');
  const wrapped = arrayOf(urls, 'HttpNfcLeaseDeviceUrl');
  return {
    ref: lease,
    timeoutMs: (number(info, 'leaseTimeout') ?? DEFAULT_TIMEOUT_SECONDS) * 1000,
    disks: (wrapped.length > 0 ? wrapped : list(urls))
      .filter((url) => flag(url, 'disk'))
      .map((url) => ({
        key: text(url, 'key') ?? '',
        url: text(url, 'url') ?? '',
        targetId: text(url, 'targetId'),
        sslThumbprint: text(url, 'sslThumbprint'),
      })),
  };
}

/** Tells vCenter that the lease is in use, and how far it is. @throws VimFault, isGone when the lease is over */
export async function reportProgress(
  session: VimSession,
  lease: Ref,
  percent: number,
  options: CallOptions = {},
): Promise<void> {
  await session.call(
    'HttpNfcLeaseProgress',
    lease,
    { percent: Math.max(0, Math.min(100, Math.floor(percent))) },
    options,
  );
}

export async function completeLease(session: VimSession, lease: Ref, options: CallOptions = {}): Promise<void> {
  await session.call('HttpNfcLeaseComplete', lease, {}, options);
}

/** Gives a lease up. One that is over already is fine. */
export async function abortLease(session: VimSession, lease: Ref, options: CallOptions = {}): Promise<void> {
  try {
    await session.call('HttpNfcLeaseAbort', lease, {}, options);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** What a lease's server says it has sent for one disk. */
export interface ManifestEntry {
  /** As in `LeaseDisk.key`. */
  readonly key: string;
  readonly sha1?: string;
  /** Hexadecimal, by `checksumType` (sha1 or sha256). */
  readonly checksum?: string;
  readonly checksumType?: string;
  readonly size?: number;
}

/**
 * Digests of the streams that were sent, to be asked for before the lease is completed. Undefined where the server has
 * none. @throws the errors of the connection
 */
export async function leaseManifest(
  session: VimSession,
  lease: Lease | Ref,
  options: CallOptions = {},
): Promise<ManifestEntry[] | undefined> {
  let answer: unknown;
  try {
    answer = await session.call('HttpNfcLeaseGetManifest', 'ref' in lease ? lease.ref : lease, {}, options);
  } catch (error) {
    if (error instanceof VimFault) return undefined;
    throw error;
  }
  const entries = list(answer).map((entry) => ({
    key: text(entry, 'key') ?? '',
    ...given('sha1', lower(text(entry, 'sha1'))),
    ...given('checksum', lower(text(entry, 'checksum'))),
    ...given('checksumType', lower(text(entry, 'checksumType'))),
    ...given('size', number(entry, 'size')),
  }));
  return entries.length === 0 ? undefined : entries;
}

const lower = (value: string | undefined): string | undefined => value?.toLowerCase();

const given = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  value === undefined || value === '' ? {} : ({ [key]: value } as { [P in K]: V });
