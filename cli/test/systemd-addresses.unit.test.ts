import { expect, it } from 'vitest';
import { isHere, localUrl } from '../src/systemd/addresses.js';

it('knows the gateway of this machine by its address', () => {
  for (const url of ['http://127.0.0.1:8080', 'http://localhost:8080/', 'http://[::1]:8080'])
    expect(isHere(url, '0.0.0.0:8080', undefined), url).toBe(true);
  for (const url of [
    'http://kvm01.example.com:8080',
    'http://127.0.0.1:8081',
    'http://127.0.0.1',
    'unix:/run/h2k.sock',
  ])
    expect(isHere(url, '0.0.0.0:8080', undefined), url).toBe(false);
  expect(isHere('http://10.0.0.7:8080', '10.0.0.7:8080', undefined)).toBe(true);
  // A tunnel to another machine.
  expect(isHere('http://localhost:8080', '10.0.0.7:8080', undefined)).toBe(false);
  expect(isHere('unix:/run/h2k.sock', undefined, '/run/h2k.sock')).toBe(true);
  expect(isHere('http://127.0.0.1:8080', undefined, undefined)).toBe(false);
});

it('asks here who listens everywhere', () => {
  expect([':8080', '0.0.0.0:8080', '[::]:8080', '10.0.0.7:8080'].map(localUrl)).toEqual([
    'http://127.0.0.1:8080',
    'http://127.0.0.1:8080',
    'http://127.0.0.1:8080',
    'http://10.0.0.7:8080',
  ]);
});
