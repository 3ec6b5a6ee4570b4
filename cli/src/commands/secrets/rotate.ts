import { BaseCommand, GATEWAY_FLAGS } from '../../lib/base-command.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { plural } from '../../lib/format.js';

export default class SecretsRotate extends BaseCommand<typeof SecretsRotate> {
  static override summary = 'Seal everything that the gateway stores anew, with the current key.';
  static override description =
    'Put the new key first (secrets.key_file), the old one behind it, restart all services, rotate, then take the old key\n' +
    'away. Exit codes: 0 everything is sealed with the new key, 1 something cannot be opened.';
  static override examples = ['<%= config.bin %> secrets rotate'];
  static override flags = { ...GATEWAY_FLAGS };

  protected async work(): Promise<ExitCode> {
    const rotated = await this.client().connections.rotate();
    const { key_id: key, resealed, unreadable, waiting_with_previous_key: waiting } = rotated;
    if (this.isJson) this.printJson(rotated);
    else {
      if (!this.isQuiet)
        this.log(
          `Sealed anew with key ${key}: ${plural(resealed.vcenters, 'vCenter connection')}, ${plural(resealed.jobs, 'job')}, ` +
            `${plural(resealed.messages, 'message')}, ${plural(resealed.idempotency_keys, 'kept answer')}.`,
        );
      if (waiting > 0)
        this.logToStderr(
          `${plural(waiting, 'message')} in the queues still need a previous key: keep it until a repetition tells of none.`,
        );
      if (unreadable > 0)
        this.logToStderr(
          `${unreadable} cannot be opened: they were sealed with a key that is not configured any more.`,
        );
    }
    return unreadable === 0 ? EXIT.ok : EXIT.failed;
  }
}
