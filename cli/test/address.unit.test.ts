import { describe, expect, it } from 'vitest';
import { parseAddress } from '../src/lib/address.js';
import { UsageError } from '../src/lib/errors.js';
import { Transport } from '../src/lib/transport.js';

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

  it.each(['http://ann:geheim@gw', 'ftp://ann:geheim@gw', 'http://ann:geheim@gw:99999999'])(
    'may hold no login, and none is repeated: %s',
    (url) => {
      expect(() => parseAddress(url)).toThrow(/holds a login/);
      expect(() => parseAddress(url)).not.toThrow(/geheim/);
    },
  );
});

it.each(['geheim\r', 'geheim\nx', 'ge heim', 'gehéim'])(
  'a token that cannot be a header is not repeated: %j',
  (token) => {
    const make = () => new Transport({ url: 'http://127.0.0.1:1', token, timeoutMs: 1 });
    expect(make).toThrow(/the token holds/);
    expect(make).not.toThrow(/geh/);
  },
);
