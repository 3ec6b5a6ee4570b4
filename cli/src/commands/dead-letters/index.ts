import DeadLettersList from './list.js';

export default class DeadLetters extends DeadLettersList {
  static override summary = 'Messages that nobody could handle: what they are, and what to do with them.';
  static override examples = ['<%= config.bin %> dead-letters', '<%= config.bin %> dead-letters show 17'];
}
