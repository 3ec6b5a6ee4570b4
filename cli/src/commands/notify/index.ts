import NotifyStatus from './status.js';

export default class Notify extends NotifyStatus {
  static override summary = 'E-mail, Slack and webhooks: who is told of what, and whether it arrives.';
  static override examples = ['<%= config.bin %> notify', '<%= config.bin %> notify test --channel email'];
}
