import { Flags } from '@oclif/core';
import { LANES } from '@hyper2kvm/contracts';
import { BaseCommand, GATEWAY_FLAGS } from '../../lib/base-command.js';
import { limitWord } from '../../lib/batch/show.js';
import { UsageError } from '../../lib/errors.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { BATCH_ARG, findBatch } from '../../lib/find-batch.js';
import { given } from '../../lib/given.js';

const MOST = 10_000;

export default class BatchesSet extends BaseCommand<typeof BatchesSet> {
  static override summary = 'Change a batch that runs: VMs at a time, failures after which it stops, priority.';
  static override description = '"unlimited" lifts a limit. The priority is that of all its jobs that have not ended.';
  static override examples = [
    '<%= config.bin %> batches set batch-7k2m9x4qa3hd --parallel 8',
    '<%= config.bin %> batches set night-1 --stop-after unlimited --priority low',
  ];
  static override args = BATCH_ARG;
  static override flags = {
    parallel: Flags.string({ description: 'Most VMs under way at a time, or "unlimited".' }),
    'stop-after': Flags.string({ description: 'Begin nothing new after so many failed VMs, or "unlimited".' }),
    priority: Flags.option({ options: LANES })({ description: 'Lane of all its jobs that have not ended.' }),
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const { parallel, 'stop-after': stop, priority } = this.flags;
    if (parallel === undefined && stop === undefined && priority === undefined)
      throw new UsageError('what is to change?', '--parallel N, --stop-after N or --priority LANE');
    const patch = {
      ...given('max_parallel', limit(parallel, '--parallel')),
      ...given('stop_after_failures', limit(stop, '--stop-after')),
      ...given('priority', priority),
    };
    const client = this.client();
    const batch = await client.batches.change(await findBatch(client, this.args.batch), patch);
    if (this.isJson) this.printJson(batch);
    else if (!this.isQuiet) {
      const said = [
        ...(parallel === undefined ? [] : [`VMs at a time: ${limitWord(batch.max_parallel)}`]),
        ...(stop === undefined ? [] : [`stops after failures: ${limitWord(batch.stop_after_failures)}`]),
        ...(priority === undefined ? [] : [`priority: ${priority}`]),
      ];
      this.log(`Batch ${batch.batch_id}: ${said.join(', ')}`);
    }
    return EXIT.ok;
  }
}

/** A number, or null for none. @throws UsageError naming the flag */
function limit(text: string | undefined, flag: string): number | null | undefined {
  if (text === undefined) return undefined;
  if (text.toLowerCase() === 'unlimited') return null;
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= MOST) return number;
  throw new UsageError(`${flag}: "${text}" is no number from 1 to ${MOST}`, 'or "unlimited"');
}
