import { describe, expect, test } from 'vitest';
import { diskTrust, diskUrl, hostOf } from '../src/sources/vsphere/index.js';
import { sameHost } from '../src/sources/vsphere/endpoint.js';

test('a server is a host with or without port, also when pasted from a browser', () => {
  for (const server of ['vc.example.com', 'https://vc.example.com/ui/', 'HTTPS://vc.example.com'])
    expect(hostOf(server)).toBe('vc.example.com');
  expect(hostOf('[fd00::1]:8443')).toBe('[fd00::1]:8443');
});

test('the star in a URL stands for the host connected to', () => {
  expect(diskUrl('https://*/nfc/52/disk-0.vmdk', 'esx7.example.com').href).toBe(
    'https://esx7.example.com/nfc/52/disk-0.vmdk',
  );
  expect(diskUrl('https://*:443/nfc/1', '127.0.0.1:8989').host).toBe('127.0.0.1:8989');
  expect(diskUrl('https://esx1/nfc/1', 'vc').host).toBe('esx1');
});

describe('trust towards the host of a disk', () => {
  const pinned = { fingerprints: ['AA'], insecure: false };

  test('is that of vCenter itself for the same host', () => {
    expect(sameHost(new URL('https://vc:443/nfc/1'), 'vc')).toBe(true);
    expect(sameHost(new URL('https://vc:444/nfc/1'), 'vc')).toBe(false);
    expect(diskTrust(pinned, new URL('https://vc/nfc/1'), 'vc', 'BB')).toEqual(pinned);
  });

  test('takes the fingerprint that vCenter gives for another', () => {
    expect(diskTrust(pinned, new URL('https://esx1/nfc/1'), 'vc', 'BB').fingerprints).toEqual(['AA', 'BB']);
    expect(diskTrust(pinned, new URL('https://esx1/nfc/1'), 'vc', '').fingerprints).toEqual(['AA']);
  });
});
