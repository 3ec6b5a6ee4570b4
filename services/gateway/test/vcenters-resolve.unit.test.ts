import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { JobError } from '@hyper2kvm/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCredentials, resolveVcenter } from '../src/vcenters/resolve.js';

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

const own = { server: 'vc.example.com', username: 'svc', password: 'secret', datacenter: 'DC1', thumbprint: 'AA' };

describe('the request over the configuration', () => {
  it('takes everything from the configuration where nothing is asked', () => {
    expect(resolveVcenter({}, own)).toEqual({
      server: 'vc.example.com',
      username: 'svc',
      password: 'secret',
      datacenter: 'DC1',
      tls: { thumbprint: 'AA', insecure: false },
    });
  });

  it('takes what is asked', () => {
    const asked = { server: 'other', username: 'me', password: 'mine', datacenter: 'DC2', insecure: true };
    expect(resolveVcenter(asked, own)).toEqual({
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
      const error = refusal(() => resolveVcenter(request, {}));
      expect(error.code).toBe('BAD_REQUEST');
      expect(error.message).toContain(field);
    }
  });
});

describe("the gateway's own login", () => {
  it('goes to its own vCenter alone', () => {
    expect(refusal(() => resolveVcenter({ server: 'evil.example.com' }, own)).message).toContain('vcenter.username');
    expect(refusal(() => resolveVcenter({ server: 'evil.example.com', username: 'svc' }, own)).message).toContain(
      'vcenter.password',
    );
    expect(resolveVcenter({ server: 'VC.example.com:443' }, own).password).toBe('secret');
  });

  it('lends its password to no other user name', () => {
    expect(refusal(() => resolveVcenter({ username: 'administrator' }, own)).message).toContain('vcenter.password');
  });

  it('comes from a file of mode 0600', () => {
    const credentials_file = file("# login\nusername: \"svc@vsphere.local\"\npassword: 'it''s: #1'\n");
    expect(resolveVcenter({}, { server: 'vc', credentials_file })).toMatchObject({
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
