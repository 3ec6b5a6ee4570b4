import TokenList from './list.js';

export default class Token extends TokenList {
  static override summary = 'Tokens of the gateway: who may ask, and for what.';
  static override examples = ['<%= config.bin %> token', '<%= config.bin %> token create ann --role operator'];
}
