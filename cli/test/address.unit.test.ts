import { describe, expect, it } from 'vitest';
import { parseAddress } from '../src/lib/address.js';
import { UsageError } from '../src/lib/errors.js';

describe('the address of the gateway', () => {
  it.each([
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080', 'http://127.0.0.1:8080', undefined],
    ['https://gw.example.com/h2k/', 'https://gw.example.com/h2k', 'https://gw.example.com/h2k', undefined],
    ['unix:/run/h/gateway.sock', 'unix:/run/h/gateway.sock', 'http://localhost', '/run/h/gateway.sock'],
    ['unix:///run/h/gateway.sock', 'unix:/run/h/gateway.sock', 'http://localhost', '/run/h/gateway.sock'],
  ])('%s', (url, shown, base, socket) => expect(parseAddress(url)).toEqual({ shown, base, socket }));

  it.each(['', 'gateway', 'localhost:8080', 'unix:', 'unix:gateway.sock', 'ftp://x'])('refuses "%s"', (url) =>
    expect(() => parseAddress(url)).toThrow(UsageError),
  );
});
