import { JobOptions } from '@hyper2kvm/contracts';
import { expect, it } from 'vitest';
import { shownAddress } from '../src/http/shown-address.js';
import { toDetail } from '../src/jobs/projection.js';
import { assertReceivers } from '../src/jobs/receivers.js';
import { job } from './given.js';

it.each([
  'http://169.254.169.254/latest/meta-data',
  // The same, as a number, and as IPv6.
  'http://2852039166/',
  'http://[::ffff:169.254.169.254]/',
  'https://[febf::1]:8443/x',
])('%s is refused when it is asked for', (address) => {
  expect(() => assertReceivers({ callback_url: address })).toThrow(
    /^options\.callback_url: .* is a link-local address/,
  );
  expect(() => assertReceivers({ slack_webhook: address }, '')).toThrow(/^slack_webhook: /);
});

it.each(['https://169.254.example.com/', 'http://127.0.0.1:9/', 'http://[fec0::1]/', 'https://cmdb.example.com/done'])(
  '%s is not',
  (address) => expect(() => assertReceivers({ callback_url: address, slack_webhook: address })).not.toThrow(),
);

it.each([
  ['https://hooks.slack.com/services/T0/B0/geheim', 'https://hooks.slack.com/[redacted]'],
  ['https://cmdb.example.com:8443/done/geheim?x=geheim#geheim', 'https://cmdb.example.com:8443/[redacted]'],
  ['https://cmdb.example.com/?geheim', 'https://cmdb.example.com/[redacted]'],
  ['https://cmdb.example.com', 'https://cmdb.example.com/'],
  ['geheim', '[redacted]'],
])('%s is shown as %s', (address, shown) => expect(shownAddress(address)).toBe(shown));

it('a job shows where its notifications go, and no more of it', () => {
  const options = JobOptions.parse({
    notify_email: 'ops@example.com',
    callback_url: 'https://cmdb.example.com/geheim',
    slack_webhook: 'https://chat.example.com/geheim',
  });
  const detail = toDetail(job({ options }), { progress: undefined, queuePosition: null, waitingReason: null });
  expect(detail).toMatchObject({
    notify_email: 'ops@example.com',
    callback_url: 'https://cmdb.example.com/[redacted]',
    slack_webhook: 'https://chat.example.com/[redacted]',
  });
  expect(JSON.stringify(detail)).not.toContain('geheim');
});
