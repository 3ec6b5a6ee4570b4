/** What the trace of a whole job looks like, with the real converter. */
import { expect } from 'vitest';
import type { ReceivedSpan } from './otlp.js';
import { nodesOf, theOne, traceTree, treeText, type TraceNode } from './trace-tree.js';

/** A VM with one disk that comes by the export stream, Linux, with --verify-boot and --notify. */
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
                conversion.bootloader
                conversion.check
                conversion.commit
                conversion.completed process
                  outbox publish job.completed
                    job.completed process
                      notify email
                conversion.domain
                conversion.fstab
                conversion.initramfs
                conversion.inspect
                conversion.network
                conversion.proof
                conversion.selinux
                conversion.started process
                conversion.trim
                conversion.vmware-tools
          export.describe
            export.session
          export.disk
            export.lease
            export.verify
          export.snapshot
          export.started process
    request converter.check-target
      converter.check-target process
    request exporter.describe-vm
      exporter.describe-vm process
  hyperctl follow
`;

/** Programs that run at least, by the span to which they belong. How often, and what else, is the guest's to decide. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  'export.verify': ['qemu-img', 'qemu-nbd'],
  'conversion.requested process': ['guestfish', 'qemu-img', 'qemu-system-x86_64'],
  'conversion.inspect': ['guestfish'],
  'conversion.proof': ['guestfish', 'qemu-img', 'qemu-system-x86_64'],
  'conversion.commit': ['qemu-img', 'qemu-nbd'],
};

const isProgram = ({ name }: ReceivedSpan): boolean => /^(exec|guestfish) /.test(name);
const named = (tree: TraceNode, name: string): TraceNode[] => nodesOf(tree).filter(({ span }) => span.name === name);

/**
 * The trace of such a job is one tree with everything in it, and each span is as it should be.
 * @throws also while spans are still to come: ask again
 */
export function assertJobTrace(spans: readonly ReceivedSpan[], traceId: string): void {
  const tree = traceTree(spans, traceId);
  // Channels that tell nobody.
  const idle = named(tree, 'job.completed process').filter(({ children }) => children.length === 0);
  const leaveOut = (span: ReceivedSpan): boolean => isProgram(span) || idle.some((one) => one.span === span);
  expect(treeText(tree, leaveOut)).toBe(STORY.trim());
  for (const [name, programs] of Object.entries(PROGRAMS)) {
    const children = theOne(tree, name).children.map(({ span }) => span.name);
    expect(children, name).toEqual(expect.arrayContaining(programs.map((program) => `exec ${program}`)));
  }
  const nodes = nodesOf(tree);
  expect(new Set(nodes.map(({ span }) => span.service))).toEqual(
    new Set(['hyperctl', 'gateway', 'exporter', 'converter', 'notifier']),
  );
  const failed = nodes.filter(({ span, pieces }) => [span, ...pieces].some(({ status }) => status === 'error'));
  expect(failed.map(({ span }) => `${span.name}: ${span.statusMessage}`)).toEqual([]);
  // Nothing was tried again: only pieces are linked, to those before them.
  expect(nodes.filter(({ span }) => span.links.length > 0).map(({ span }) => span.name)).toEqual([]);
  for (const { span, pieces } of nodes) {
    for (const piece of [span, ...pieces]) {
      expect(piece.end, piece.name).toBeGreaterThanOrEqual(piece.start);
      expect(
        Object.keys(piece.attributes).filter((key) => /argv|command_args|command_line|password/.test(key)),
      ).toEqual([]);
    }
  }
  const jobs = new Set(nodes.flatMap(({ span }) => span.attributes['job.id'] ?? []));
  expect([...jobs]).toEqual([expect.stringMatching(/^job-/)]);
  const disk = lastOf(theOne(tree, 'export.disk'));
  expect(disk.attributes).toMatchObject({ 'disk.index': 1, 'disk.transport': expect.any(String) as string });
  expect(disk.attributes['disk.bytes_downloaded']).toBeGreaterThan(0);
  const { span, pieces } = theOne(tree, 'conversion.proof');
  expect([span, ...pieces].flatMap(({ events }) => events.map(({ name }) => name))).toContain('signal from inside');
}

const lastOf = ({ span, pieces }: TraceNode): ReceivedSpan => pieces.at(-1) ?? span;
