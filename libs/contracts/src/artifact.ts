import { z } from 'zod';
import { Machine } from './machine.js';
import { Bytes, Checksum, JobId, Sha256, Timestamp } from './words.js';

/** Guest-visible content is hashed in segments of this many bytes; the last one may be shorter. */
export const SEGMENT_BYTES = 64 * 1024 * 1024;

/** One exported disk image, as verified. */
export const ArtifactDisk = z.object({
  index: z.number().int().positive(),
  name: z.string(),
  /** Relative to the artifact's folder. */
  file: z.string(),
  format: z.enum(['qcow2', 'raw']),
  capacity_bytes: Bytes,
  /** Bytes that came over the network for this disk (compressed). */
  bytes_downloaded: Bytes,
  /** SHA-256 of the stream as it came over the network. */
  stream_sha256: Sha256.optional(),
  /** SHA-256 of each 64 MiB segment of guest-visible content; null is a segment that is one hole (all zeros). */
  segments: z.array(Sha256.nullable()),
  /** True when the content was read back through QEMU and compared with `segments`. */
  verified: z.boolean(),
  /** How it came. */
  transport: z.enum(['nfc', 'datastore', 'file']).optional(),
  /** Digests of the source that were given (by vCenter's lease, an OVF manifest or the user) and agreed with what was read. */
  source_checksums: z.array(Checksum).optional(),
});
export type ArtifactDisk = z.infer<typeof ArtifactDisk>;

/** `artifact.json` beside the exported images: what an export leaves and a conversion starts from. */
export const Artifact = z.object({
  version: z.literal(1),
  job_id: JobId,
  attempt: z.number().int().positive(),
  machine: Machine,
  disks: z.array(ArtifactDisk).min(1),
  /** What a person should know of the export; they go on into the report. */
  concerns: z.array(z.string()).optional(),
  created_at: Timestamp,
});
export type Artifact = z.infer<typeof Artifact>;

/**
 * The same as it travels in a fact: without the segments' hashes, which would pass a message's size at about 1 TB of content.
 * They lie in `artifact.json`.
 */
export const ArtifactSummary = Artifact.extend({ disks: z.array(ArtifactDisk.omit({ segments: true })).min(1) });
export type ArtifactSummary = z.infer<typeof ArtifactSummary>;
