import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { X509Certificate } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';

export interface Certificate {
  /** PEM. The certificate is its own CA, valid for 127.0.0.1. */
  key: string;
  cert: string;
  /** SHA-256, aa:bb:…, as vCenter's is pinned. */
  thumbprint: string;
  /** SHA-1, as a lease tells it of the host that serves a disk. */
  sha1: string;
}

/** A new self-signed certificate with a key of its own. */
export async function makeCertificate(): Promise<Certificate> {
  const folder = await mkdtemp(path.join(tmpdir(), 'h2k-faults-'));
  try {
    const [key, cert] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    const names = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    await execa('openssl', ['req', '-x509', ...kind, ...names, '-keyout', key, '-out', cert]);
    const pem = await readFile(cert, 'utf8');
    const { fingerprint256, fingerprint } = new X509Certificate(pem);
    return { key: await readFile(key, 'utf8'), cert: pem, thumbprint: fingerprint256, sha1: fingerprint };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
