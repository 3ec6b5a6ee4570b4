import type { IncomingHttpHeaders } from 'node:http';
import { hostOf, type Endpoint } from './endpoint.js';
import { toJobError } from './faults.js';
import type { VimSession } from './session.js';
import type { CallOptions } from './soap-http.js';

/** A file on a datastore as the web server before it tells. */
export interface RemoteFile {
  readonly sizeBytes: number;
  readonly lastModified?: string;
  readonly etag?: string;
  /** Parts of it can be asked for. */
  readonly acceptsRanges: boolean;
}

/**
 * Where vCenter serves a datastore's file.
 * @param datacenterPath `Europe/DC0`
 * @param path on the datastore, `web/web-flat.vmdk`
 */
export function folderUrl(endpoint: Endpoint, datacenterPath: string, datastoreName: string, path: string): URL {
  const file = path
    .split('/')
    .map((part) => encodeURIComponent(part))
    .join('/');
  const where = `dcPath=${encodeURIComponent(datacenterPath)}&dsName=${encodeURIComponent(datastoreName)}`;
  return new URL(`https://${hostOf(endpoint.server)}/folder/${file}?${where}`);
}

/**
 * Looks at a file without reading it. Undefined where there is none or it may not be read.
 * @throws JobError VCENTER_UNREACHABLE, VCENTER_TLS
 */
export async function headFile(
  session: VimSession,
  url: URL,
  options: CallOptions = {},
): Promise<RemoteFile | undefined> {
  try {
    let answer = await session.head(url, { method: 'HEAD' }, options);
    if (answer.status === 401) {
      await session.touch(options);
      answer = await session.head(url, { method: 'HEAD' }, options);
    }
    const length = Number(answer.headers['content-length'] ?? NaN);
    if (answer.status === 200 && Number.isSafeInteger(length) && answer.headers['accept-ranges'] === 'bytes')
      return { ...versionOf(answer.headers), sizeBytes: length, acceptsRanges: true };
    if (answer.status !== 200 && answer.status !== 405 && answer.status !== 501) return undefined;
    // Some servers do not take HEAD, or do not say there what they can do: the first byte tells.
    const first = await session.head(url, { method: 'GET', headers: { Range: 'bytes=0-0' } }, options);
    const total = Number(/^bytes 0-0\/(\d+)$/.exec(first.headers['content-range'] ?? '')?.[1] ?? NaN);
    if (first.status === 206 && Number.isSafeInteger(total))
      return { ...versionOf(first.headers), sizeBytes: total, acceptsRanges: true };
    if (first.status !== 200 || answer.status !== 200 || !Number.isSafeInteger(length)) return undefined;
    return { ...versionOf(answer.headers), sizeBytes: length, acceptsRanges: false };
  } catch (error) {
    throw toJobError(error, session.server, `reading ${url.pathname}`);
  }
}

function versionOf(headers: IncomingHttpHeaders): { lastModified?: string; etag?: string } {
  const { 'last-modified': lastModified, etag } = headers;
  return { ...(lastModified === undefined ? {} : { lastModified }), ...(etag === undefined ? {} : { etag }) };
}
