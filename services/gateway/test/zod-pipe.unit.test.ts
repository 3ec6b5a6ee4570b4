import { BatchRequest } from '@hyper2kvm/contracts';
import { expect, it } from 'vitest';
import { ZodPipe } from '../src/http/zod.pipe.js';

const pipe = new ZodPipe(BatchRequest);

it.each([
  [{ vms: ['a', { vm_name: 'b', options: { priority: 'urgent' } }] }, 'vms.1.options.priority: '],
  [{ waves: [{ name: 'one', vms: ['a', { vm_name: 'b', tags: [] }] }] }, 'waves.0.vms.1: Unrecognized key: "tags"'],
  [{ vms: [''] }, 'vms.0: Too small'],
  [{ vms: ['a'], options: { hooks: { before: { command: 'two words' } } } }, 'options.hooks.before.command: letters'],
  [{ vms: ['a'], options: { hooks: { after: { url: 'ftp://a' } } } }, 'options.hooks.after.url: Invalid URL'],
  [{ vms: [7] }, 'vms.0: Invalid input'],
])('names the field within values of several forms: %j', (body, message) => {
  expect(() => pipe.transform(body)).toThrow(message);
});
