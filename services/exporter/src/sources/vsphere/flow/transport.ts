import type { TransportChoice } from '@hyper2kvm/contracts';
import type { DiskBacking } from '../backings.js';
import type { RemoteFile } from '../datastore-files.js';

export interface TransportPlan {
  readonly transport: 'nfc' | 'datastore';
  /** The end of a sentence that begins with what was chosen. */
  readonly reason: string;
  /** Set when `datastore` was asked for and cannot be. */
  readonly unavailable?: string;
}

export interface TransportFacts {
  readonly choice: TransportChoice;
  /** From which share of provisioned bytes that are used the flat file is read. */
  readonly minUsedRatio: number;
  readonly capacityBytes: number;
  readonly usedBytes: number | undefined;
  readonly backing: DiskBacking | undefined;
  readonly file: RemoteFile | undefined;
}

/**
 * How a disk is read. The flat file brings all provisioned bytes, in several ranges at once and resumable; the export stream
 * brings the used ones, compressed, slower and from its beginning each time. So a disk that is full enough comes by its file.
 */
export function planTransport(facts: TransportFacts): TransportPlan {
  const { choice, minUsedRatio, capacityBytes, usedBytes } = facts;
  if (choice === 'nfc') return { transport: 'nfc', reason: 'it was asked for' };
  const hindrance = hindranceOf(facts);
  if (choice === 'datastore')
    return {
      transport: 'datastore',
      reason: 'it was asked for',
      ...(hindrance === undefined ? {} : { unavailable: hindrance }),
    };
  if (hindrance !== undefined) return { transport: 'nfc', reason: hindrance };
  if (usedBytes === undefined)
    return { transport: 'nfc', reason: 'vCenter does not tell how much of the disk is used' };
  const percent = Math.min(100, Math.round((100 * usedBytes) / Math.max(1, capacityBytes)));
  const limit = Math.round(100 * minUsedRatio);
  return usedBytes >= minUsedRatio * capacityBytes
    ? { transport: 'datastore', reason: `${percent} % of the disk is used, and from ${limit} % on its file is faster` }
    : { transport: 'nfc', reason: `only ${percent} % of the disk is used, and below ${limit} % the stream is faster` };
}

function hindranceOf({ backing, file, capacityBytes }: TransportFacts): string | undefined {
  if (backing === undefined) return 'the snapshot does not tell its file';
  if (backing.hasParent) return 'it stands on another disk (an earlier snapshot, or a linked clone)';
  if (backing.ineligible !== undefined) return backing.ineligible;
  if (file === undefined) return 'vCenter does not give its file over HTTPS';
  if (!file.acceptsRanges) return 'vCenter does not give parts of its file';
  if (file.sizeBytes !== capacityBytes) return `its file has ${file.sizeBytes} bytes, and the disk ${capacityBytes}`;
  return undefined;
}
