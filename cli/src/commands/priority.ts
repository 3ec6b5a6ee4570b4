import { Args } from '@oclif/core';
import { Lane, LANES } from '@hyper2kvm/contracts';
import { BaseCommand, GATEWAY_FLAGS } from '../lib/base-command.js';
import { UsageError } from '../lib/errors.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { findJob, JOB_FLAGS } from '../lib/find-job.js';
import { noSuchValue } from '../lib/usage-errors.js';

export default class Priority extends BaseCommand<typeof Priority> {
  static override summary = 'Change the priority of a job.';
  static override description =
    'A waiting job changes its lane at once; of one that runs, the next phase waits there.\n' +
    'Of all jobs of a batch: hyperctl batches set ID --priority LANE.';
  static override examples = [
    '<%= config.bin %> priority --job job-7k2m9x4qa3hd high',
    '<%= config.bin %> priority --vm production-db low',
  ];
  static override args = {
    lane: Args.string({ description: `One of ${LANES.join(', ')}.`, ignoreStdin: true }),
  };
  static override flags = { ...JOB_FLAGS, ...GATEWAY_FLAGS };

  protected async work(): Promise<ExitCode> {
    const lane = Lane.safeParse(this.args.lane);
    if (this.args.lane === undefined) throw new UsageError('which priority?', `one of ${LANES.join(', ')}`);
    if (!lane.success) throw noSuchValue('priority', this.args.lane, LANES);
    const client = this.client();
    const job = await client.change(await findJob(client, this.flags), { priority: lane.data });
    if (this.isJson) this.printJson(job);
    else if (!this.isQuiet) {
      const position = job.queue_position === null ? '' : `, position ${job.queue_position} of those that wait`;
      this.log(`Job ${job.job_id}: priority ${job.priority}${position}`);
    }
    return EXIT.ok;
  }
}
