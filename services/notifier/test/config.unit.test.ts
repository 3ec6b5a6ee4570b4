import { describe, expect, it } from 'vitest';
import { NotifierConfig, smtpPort, startTls, type SmtpConfig } from '../src/config.js';

const smtp = (input: object): SmtpConfig => NotifierConfig.parse({ smtp: input }).smtp;

describe('the section notifier', () => {
  it('may be empty: then nothing is sent', () => {
    expect(NotifierConfig.parse({})).toMatchObject({
      smtp: { host: '', secure: false, from: 'hyper2kvm@localhost', to: [] },
      notify_on_complete: true,
      notify_on_failure: true,
    });
  });

  it.each([
    [{ host: 'mail' }, 25, 'if_offered'],
    [{ host: '127.0.0.1' }, 25, 'never'],
    [{ host: 'mail', user: 'u', password: 'p' }, 587, 'required'],
    [{ host: 'mail', secure: true }, 465, 'if_offered'],
    [{ host: 'localhost', port: 2525, starttls: 'required' }, 2525, 'required'],
  ])('%j → port %d, STARTTLS %s', (input, port, tls) => {
    expect([smtpPort(smtp(input)), startTls(smtp(input))]).toEqual([port, tls]);
  });

  it('refuses a password that could travel in clear', () => {
    const login = { host: 'mail', user: 'u', password: 'p' };
    expect(() => smtp({ ...login, starttls: 'never' })).toThrow('could travel in clear');
    expect(() => smtp({ ...login, starttls: 'if_offered' })).toThrow('could travel in clear');
    expect(smtp({ ...login, host: 'localhost', starttls: 'never' }).user).toBe('u');
    expect(smtp({ ...login, secure: true, starttls: 'never' }).user).toBe('u');
  });

  it.each([
    [{ host: 'mail', user: 'u' }, 'password'],
    [{ to: ['not an address'] }, 'to'],
    [{ from: 'a@b.c\r\nBcc: all@example.com' }, 'from'],
    [{ hots: 'mail' }, 'hots'],
  ])('refuses %j, naming %s', (input, name) => expect(() => smtp(input)).toThrow(name));

  it('takes an address with a name', () => {
    expect(smtp({ from: 'Migrations <vm@example.com>' }).from).toBe('Migrations <vm@example.com>');
  });
});
