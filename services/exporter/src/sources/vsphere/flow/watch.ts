import { JobError } from '@hyper2kvm/contracts';
import { untilStopped, type FlowContext } from './context.js';

/** One thing to keep an eye on. Throws a JobError when the export has to be given up. */
export type Look = (context: FlowContext) => Promise<void>;

/** Looks at the source every so often while disks are read; `lost` aborts with what a look found. */
export class SourceWatch {
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private looking: Promise<void> | undefined;

  constructor(
    private readonly context: FlowContext,
    private readonly looks: readonly Look[],
  ) {
    this.timer = setInterval(() => {
      this.looking ??= this.look().finally(() => {
        this.looking = undefined;
      });
    }, context.settings.sourceCheckMs);
  }

  get lost(): AbortSignal {
    return this.controller.signal;
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
  }

  private async look(): Promise<void> {
    for (const look of this.looks) {
      try {
        await look(this.context);
      } catch (error) {
        // A vCenter that does not answer now is no reason to give up: the disks' own transfers notice what matters to them.
        if (!(error instanceof JobError) || untilStopped(this.context).signal?.aborted === true) continue;
        clearInterval(this.timer);
        this.controller.abort(error);
        return;
      }
    }
  }
}
