/** The story of a job, as its trace tells it. */
import { JobError } from '@hyper2kvm/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ReceivedSpan } from '../support/otlp.js';
import { nodesOf, spansOf, theOne, treeText, type TraceNode } from '../support/trace-tree.js';
import { TraceStack } from './trace-stack.js';

const STORY = `
hyperctl convert
  POST /api/v1/convert
    export release
      outbox publish export.requested
        export.requested process
          export.artifact
          export.cleanup
          export.completed process
            outbox publish conversion.requested
              conversion.requested process
                conversion.failed process
                  outbox publish conversion.requested
                    conversion.requested process
                      conversion.completed process
                        outbox publish job.completed
                          job.completed process
                            notify email
                      conversion.started process
                  outbox publish job.retried
                conversion.started process
          export.describe
            export.session
          export.disk
            export.lease
            export.verify
              exec qemu-img
              exec qemu-nbd
          export.snapshot
          export.started process
    request converter.check-target
      converter.check-target process
    request exporter.describe-vm
      exporter.describe-vm process
  hyperctl follow
`;

let stack: TraceStack;

beforeAll(async () => {
  stack = await TraceStack.start();
}, 120_000);
afterAll(async () => stack?.stop());

const has =
  (...names: string[]) =>
  (spans: readonly ReceivedSpan[]): boolean =>
    names.every((name) => spans.some((span) => span.name === name));
const named = (tree: TraceNode, name: string): TraceNode[] =>
  nodesOf(tree)
    .filter(({ span }) => span.name === name)
    .toSorted((a, b) => a.span.start - b.span.start);
const linksOf = (node: TraceNode | undefined): string[] => (node?.span.links ?? []).map(({ spanId }) => spanId);

it('is one tree from hyperctl to the mail, with a retry that is linked to the attempt before', async () => {
  await stack.vcsim.setNfcRate(60_000);
  stack.failing.set('web', [new JobError('CHILD_FAILED', 'because of the test', { retryable: true })]);
  const ran = await stack.convert('web', '--notify', 'ops@example.com');
  expect(ran.exitCode, String(ran.stderr)).toBe(0);
  const { id, traceId } = await stack.jobOf('web');
  const tree = await stack.tree(traceId, has('notify email', 'hyperctl follow'));
  // Channels that tell nobody.
  const idle = named(tree, 'job.completed process').filter(({ children }) => children.length === 0);
  expect(treeText(tree, (span) => idle.some((one) => one.span === span))).toBe(STORY.trim());
  // Whoever follows is no part of it.
  expect(tree.span).toMatchObject({ service: 'hyperctl', attributes: { 'job.id': id }, status: 'unset' });
  expect(tree.span.end).toBeLessThanOrEqual(theOne(tree, 'hyperctl follow').span.start);

  const exporting = theOne(tree, 'export.requested process');
  expect(exporting.span).toMatchObject({
    service: 'exporter',
    kind: 'consumer',
    attributes: { 'job.id': id, 'job.attempt': 1 },
  });
  const disk = theOne(tree, 'export.disk');
  for (const { span, pieces } of [exporting, disk]) {
    expect(pieces.length).toBeGreaterThan(0);
    expect(span.attributes['hyper2kvm.continued']).toBe(true);
  }
  expect(disk.pieces.at(-1)?.attributes).toMatchObject({
    'disk.index': 1,
    'disk.transport': 'nfc',
    'disk.capacity_bytes': 200 * 2 ** 20,
    'disk.bytes_downloaded': expect.any(Number) as number,
  });

  const [first, second, ...more] = named(tree, 'conversion.requested process');
  expect(more).toEqual([]);
  expect(first?.span).toMatchObject({
    status: 'error',
    statusMessage: 'because of the test',
    attributes: { 'job.attempt': 1, 'error.type': 'CHILD_FAILED' },
    events: [{ name: 'exception' }],
  });
  expect(second?.span).toMatchObject({ status: 'unset', attributes: { 'job.attempt': 2 } });
  expect(linksOf(first)).toEqual([]);
  expect(linksOf(second)).toEqual([first?.span.spanId]);
  expect(JSON.stringify(stack.collector.bodies)).not.toContain(stack.vcsim.password);

  const lines = stack.linesOf(id);
  expect(lines.length).toBeGreaterThan(8);
  expect(lines.filter((line) => line['trace_id'] !== traceId)).toEqual([]);
  expect((await stack.client.job(id)).trace_id).toBe(traceId);
});

it('is still one tree when the exporter is killed, and loses no more than what ran at that moment', async () => {
  await stack.vcsim.setNfcRate(30_000);
  const id = await stack.ask('killed');
  const { traceId } = await stack.jobOf('killed');
  const ended = (name: string) => (span: ReceivedSpan) =>
    span.traceId === traceId && span.name === name && span.attributes['hyper2kvm.continued'] === true;
  // Their first pieces are over, and what they are goes on.
  const begun = await stack.collector.until(ended('export.requested process'));
  const disk = await stack.collector.until(ended('export.disk'));
  await stack.exporter.kill('SIGKILL');
  await stack.vcsim.setNfcRate(0);
  await stack.startExporter();
  await stack.client.reaches(id, 'completed');
  const tree = await stack.tree(traceId, has('job.completed process', 'conversion.completed process'));
  // Asked for by nobody's trace: it begins with the request.
  expect(tree.span).toMatchObject({ service: 'gateway', name: 'POST /api/v1/convert' });
  const [before, after, ...more] = named(tree, 'export.requested process');
  expect(more).toEqual([]);
  expect(before?.span.spanId).toBe(begun.spanId);
  expect(before?.children.map(({ span }) => span.name)).toEqual(
    expect.arrayContaining(['export.describe', 'export.snapshot', 'export.disk', 'export.started process']),
  );
  expect(named(tree, 'export.disk').map(({ span }) => span.spanId)[0]).toBe(disk.spanId);
  expect(linksOf(after)).toEqual([begun.spanId]);
  expect(after?.span.attributes['job.attempt']).toBe(1);
  expect(stack.linesOf(id).filter((line) => line['trace_id'] !== traceId)).toEqual([]);
});

it('each job of a batch has a trace, linked to what asked for it; a request about a job later on likewise', async () => {
  await stack.vcsim.setNfcRate(0);
  const traceOfBatch = 'ab'.repeat(16);
  stack.failing.set('two', [new JobError('GUEST_UNSUPPORTED', 'because of the test')]);
  const body = {
    vcenter: stack.vcenter,
    vms: [{ vm_name: 'one' }, { vm_name: 'two' }],
    notify_email: 'ops@example.com',
  };
  const asked = await stack.send('POST', '/api/v1/batches', body, `00-${traceOfBatch}-${'cd'.repeat(8)}-00`);
  expect(asked.status, await asked.clone().text()).toBe(202);
  const jobs = await Promise.all(['one', 'two'].map((vm) => stack.jobOf(vm)));
  await stack.client.reaches(jobs[0]?.id ?? '', 'completed');
  await stack.client.reaches(jobs[1]?.id ?? '', 'failed');
  expect(new Set([...jobs.map(({ traceId }) => traceId), traceOfBatch]).size).toBe(3);
  const batch = await stack.tree(traceOfBatch, has('notify email'));
  // Nobody sees the caller's span, as it was not recorded: what was asked for is the root.
  expect(treeText(batch, ({ kind }) => kind === 'consumer')).toBe(
    'POST /api/v1/batches\n  outbox publish batch.completed',
  );
  for (const { traceId } of jobs) {
    const tree = await stack.tree(
      traceId,
      (spans) => has('job.completed process')(spans) || has('job.failed process')(spans),
    );
    expect(tree.span).toMatchObject({ name: 'job', links: [{ traceId: traceOfBatch, spanId: batch.span.spanId }] });
  }

  const { id, traceId } = jobs[1] ?? { id: '', traceId: '' };
  const again = 'ef'.repeat(16);
  const answer = await stack.send('POST', `/api/v1/jobs/${id}/retry`, {}, `00-${again}-${'cd'.repeat(8)}-00`);
  expect(answer.status).toBe(202);
  await stack.client.reaches(id, 'completed');
  const tree = await stack.tree(traceId, has('job.completed process'));
  const retried = theOne(tree, 'job retry');
  expect(retried.span.links).toEqual([{ traceId: again, spanId: spansOf(stack.collector.spans, again)[0]?.spanId }]);
  const [before, after] = named(tree, 'conversion.requested process');
  expect(nodesOf(retried)).toContain(after);
  expect(linksOf(after)).toEqual([before?.span.spanId]);
  expect(treeText(await stack.tree(again, has('POST /api/v1/jobs/:id/retry')))).toBe('POST /api/v1/jobs/:id/retry');
});
