import { expect, it } from 'vitest';
import { withoutQueries } from '../src/http/without-queries.js';

it.each([
  ['https://cmdb.example.com/done?key=geheim', 'https://cmdb.example.com/done?[redacted]'],
  ['{"url":"http://a/b?x=geheim","b":1}', '{"url":"http://a/b?[redacted]","b":1}'],
  ['https://hooks.slack.com/services/T0/B0/geheim', 'https://hooks.slack.com/[redacted]'],
  ['"https://hooks.slack.com/services/geheim?x=geheim" said no', '"https://hooks.slack.com/[redacted]" said no'],
  ['https://cmdb.example.com/done', 'https://cmdb.example.com/done'],
])('%s', (text, expected) => expect(withoutQueries(text)).toBe(expected));
