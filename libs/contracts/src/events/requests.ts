import { z } from 'zod';
import { Machine } from '../machine.js';
import { Source } from '../options.js';
import { defineRequest } from './define.js';

/** What is this VM? Answered by any exporter; it also proves that the login works. */
export const describeVm = defineRequest({
  subject: 'exporter.describe-vm',
  request: z.object({ source: Source, vm_name: z.string().min(1) }),
  reply: Machine,
  timeoutMs: 13_000,
});
