import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { JobError } from '@hyper2kvm/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VcenterRequest } from '@hyper2kvm/contracts';
import type { VsphereConfig } from '../src/config.js';
import { configured, readCredentials } from '../src/vcenters/configured.js';
import { resolveVcenter, type VcenterSettings } from '../src/vcenters/resolve.js';
import { sameServer } from '../src/vcenters/same-server.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'h2k-vcenter-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const file = (text: string, mode = 0o600): string => {
  const name = path.join(folder, 'credentials.yaml');
  writeFileSync(name, text);
  chmodSync(name, mode);
  return name;
};
const refusal = (work: () => unknown): JobError => {
  try {
    work();
  } catch (error) {
    if (error instanceof JobError) return error;
  }
  throw new Error('it was not refused');
};

/** The request over the configuration, as the gateway asks. */
const resolve = ({ server, ...request }: VcenterRequest, config: VsphereConfig): VcenterSettings => {
  const known = configured(config);
  const own = known !== undefined && (server === undefined || sameServer(server, known.server));
  return resolveVcenter({ server, ...request }, own ? known : undefined).settings;
};

const own = { server: 'vc.example.com', username: 'svc', password: 'secret', datacenter: 'DC1', thumbprint: 'AA' };

describe('the request over the configuration', () => {
  it('takes everything from the configuration where nothing is asked', () => {
    expect(resolve({}, own)).toEqual({
      server: 'vc.example.com',
      username: 'svc',
      password: 'secret',
      datacenter: 'DC1',
      tls: { thumbprint: 'AA', insecure: false },
    });
  });

  it('takes what is asked', () => {
    const asked = { server: 'other', username: 'me', password: 'mine', datacenter: 'DC2', insecure: true };
    expect(resolve(asked, own)).toEqual({
      server: 'other',
      username: 'me',
      password: 'mine',
      datacenter: 'DC2',
      tls: { insecure: true },
    });
  });

  it('names what is missing', () => {
    for (const [request, field] of [
      [{}, 'vcenter.server'],
      [{ server: 'vc' }, 'vcenter.username'],
      [{ server: 'vc', username: 'me' }, 'vcenter.password'],
    ] as const) {
      const error = refusal(() => resolve(request, {}));
      expect(error.code).toBe('BAD_REQUEST');
      expect(error.message).toContain(field);
    }
    // A name that was mistyped looks like a host.
    expect(refusal(() => resolve({ server: 'prdo' }, {})).message).toContain('prdo is no stored connection');
    expect(refusal(() => resolve({}, { server: 'vc' })).message).not.toContain('no stored connection');
  });
});

describe("the gateway's own login", () => {
  it('goes to its own vCenter alone', () => {
    expect(refusal(() => resolve({ server: 'evil.example.com' }, own)).message).toContain('vcenter.username');
    expect(refusal(() => resolve({ server: 'evil.example.com', username: 'svc' }, own)).message).toContain(
      'vcenter.password',
    );
    expect(resolve({ server: 'VC.example.com:443' }, own).password).toBe('secret');
  });

  it('lends its password to no other user name', () => {
    expect(refusal(() => resolve({ username: 'administrator' }, own)).message).toContain('vcenter.password');
  });

  it('is not sent where another certificate is trusted', () => {
    for (const trust of [
      { insecure: true },
      { thumbprint: 'BB' },
      { ca_pem: 'mine' },
      { thumbprint: 'AA', insecure: true },
    ])
      expect(refusal(() => resolve(trust, own)).message).toContain('its certificate is trusted as it was set up');
    expect(resolve({ thumbprint: 'a:a' }, own).password).toBe('secret');
    expect(resolve({ insecure: false }, own).tls).toEqual({ thumbprint: 'AA', insecure: false });
    expect(resolve({ insecure: false }, { ...own, thumbprint: undefined, insecure: true }).tls).toEqual({
      insecure: false,
    });
    const mine = { username: 'me', password: 'mine', insecure: true };
    expect(resolve(mine, own)).toMatchObject({ server: 'vc.example.com', password: 'mine', tls: { insecure: true } });
  });

  it('is sent to the host as it is configured, however the request writes it', () => {
    for (const server of ['VC.example.com', 'https://vc.example.com/ui', 'vc.example.com:443'])
      expect(resolve({ server }, own).server).toBe('vc.example.com');
    for (const server of [
      'vc.example.com@evil',
      'evil/vc.example.com',
      'vc.example.com.evil',
      'https://evil?vc.example.com',
    ])
      expect(refusal(() => resolve({ server }, own)).message).toContain('vcenter.username');
  });

  it('is not looked for where the request brings its own', () => {
    const credentials_file = '/does/not/exist';
    expect(resolve({ username: 'me', password: 'mine' }, { server: 'vc', credentials_file }).username).toBe('me');
    expect(refusal(() => resolve({}, { server: 'vc', credentials_file })).message).toContain('cannot be read (ENOENT)');
  });

  it('comes from a file of mode 0600', () => {
    const credentials_file = file("# login\nusername: \"svc@vsphere.local\"\npassword: 'it''s: #1'\n");
    expect(resolve({}, { server: 'vc', credentials_file })).toMatchObject({
      username: 'svc@vsphere.local',
      password: "it's: #1",
    });
  });

  it.each([0o644, 0o640, 0o660, 0o700])('is not read from a file of mode %o', (mode) => {
    const name = file('username: a\npassword: canary\n', mode);
    const error = refusal(() => readCredentials(name));
    expect(error.message).toMatch(/0600/);
    expect(error.message).not.toContain('canary');
  });
});
