import path from 'node:path';
import { withLongSpan } from '../telemetry/long-span.js';
import { trace } from '../telemetry/tracing.js';
import type { Exit } from './spawn.js';

/**
 * A span as long as the child lives: its program's name and how it ended, never its arguments. Children that belong to no work
 * (probes at the start) have none.
 * @param wasEnded whether we ended it ourselves: then its exit says nothing
 */
export function traceChild(command: string, exited: Promise<Exit>, wasEnded: () => boolean): void {
  if (trace.getActiveSpan() === undefined) return;
  const program = path.basename(command);
  void withLongSpan(`exec ${program}`, { 'process.executable.name': program }, async (span) => {
    const { code, signal } = await exited;
    if (code !== null) span.setAttributes({ 'process.exit.code': code });
    if (wasEnded()) span.addEvent('ended by its worker');
    else if (code !== 0) span.fail(new Error(`${program} ended with ${code ?? signal}`));
  });
}
