import { Flags } from '@oclif/core';
import { NOTIFICATION_CHANNELS, type NotificationChannel, type NotificationTestRequest } from '@hyper2kvm/contracts';
import { BaseCommand, GATEWAY_FLAGS } from '../../lib/base-command.js';
import type { GatewayClient } from '../../lib/client.js';
import { CliError, UsageError } from '../../lib/errors.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { printable } from '../../lib/format.js';
import { given } from '../../lib/given.js';
import { channelOf } from '../../lib/notify/channel-of.js';
import { keysToSet } from '../../lib/notify/keys.js';
import { helpLines, testTable } from '../../lib/notify/show.js';
import { withSpinner } from '../../lib/spinner.js';

export default class NotifyTest extends BaseCommand<typeof NotifyTest> {
  static override summary = 'Send a message that says it is a test, and show what became of it.';
  static override description =
    'To every target of the configuration, to those of one channel, or to one. Quiet hours and digests do not hold it.\n' +
    'Exit codes: 0 all were delivered, 1 one was not, or nothing is configured.';
  static override examples = [
    '<%= config.bin %> notify test',
    '<%= config.bin %> notify test --channel slack',
    '<%= config.bin %> notify test --channel email --to ops@example.com',
    '<%= config.bin %> notify test --channel webhook --to cmdb --json',
  ];
  static override flags = {
    channel: Flags.option({ options: NOTIFICATION_CHANNELS })({ description: 'Only this one.' }),
    to: Flags.string({
      helpValue: 'ADDRESS|NAME',
      description:
        'Only there: an e-mail address, the name of a configured webhook, or an address of one (which other users of this machine then see).',
    }),
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const client = this.client();
    const request = await this.#request(client);
    const { results, message } = await withSpinner(
      process.stdout,
      !this.showsProgress,
      () => 'Sending...',
      () => client.notifications.test(request),
    );
    if (results.length === 0)
      throw new CliError('nothing was sent', {
        code: 'NOT_CONFIGURED',
        why: message ?? 'no channel is configured',
        advice: keysToSet(request.channel),
      });
    const failed = results.filter(({ delivered }) => !delivered);
    if (this.isJson) this.printJson({ results });
    else if (!this.isQuiet) this.log(testTable(results, this.columns).join('\n'));
    if (failed.length === 0) return EXIT.ok;
    if (!this.isJson) {
      const where = failed.map(({ channel, target }) => `${channel} ${printable(target)}`).join(', ');
      this.logToStderr([`Error: not delivered: ${where}`, ...helpLines(failed)].join('\n'));
    }
    return EXIT.failed;
  }

  async #request(client: GatewayClient): Promise<NotificationTestRequest> {
    const { to } = this.flags;
    const channel: NotificationChannel | undefined = this.flags.channel;
    if (to === undefined) return { ...given('channel', channel) };
    if (to === '') throw new UsageError('--to is empty', 'an e-mail address, or the name of a configured webhook');
    if (channel !== undefined) return { channel, to };
    const found = channelOf(to) ?? (await client.notifications.status()).channels.find(has(to))?.channel;
    if (found === undefined)
      throw new UsageError(
        `${printable(to)} is no target of the configuration`,
        'say how: --channel email|slack|webhook',
      );
    return { channel: found, to };
  }
}

const has =
  (name: string) =>
  ({ targets }: { readonly targets: readonly string[] }): boolean =>
    targets.includes(name);
