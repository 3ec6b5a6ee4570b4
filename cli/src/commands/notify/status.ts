import { BaseCommand, GATEWAY_FLAGS } from '../../lib/base-command.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { statusLines } from '../../lib/notify/show.js';
import { painter } from '../../lib/width.js';

export default class NotifyStatus extends BaseCommand<typeof NotifyStatus> {
  static override summary = 'Show who is told of what, and which messages wait.';
  static override description =
    'Channels with their targets, rules and quiet hours are those of the configuration of the notifier; what a job or batch\n' +
    'was given (--notify, --slack-webhook, --callback-url) comes beside them: hyperctl status --job ID.\n' +
    'HELD waits for a digest or for the end of quiet hours; WAITING is tried again, or waits behind what is.';
  static override examples = ['<%= config.bin %> notify status', '<%= config.bin %> notify status --json'];
  static override flags = { ...GATEWAY_FLAGS };

  protected async work(): Promise<ExitCode> {
    const status = await this.client().notifications.status();
    if (this.isJson) this.printJson(status);
    else if (!this.isQuiet)
      this.log(statusLines(status, painter(this.settings.colorOn(process.stdout)), this.columns).join('\n'));
    return EXIT.ok;
  }
}
