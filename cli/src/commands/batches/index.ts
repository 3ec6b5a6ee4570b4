import BatchesList from './list.js';

export default class Batches extends BatchesList {
  static override summary = 'Many VMs as one plan: the batches, newest first.';
  static override examples = ['<%= config.bin %> batches', '<%= config.bin %> batches show night-1'];
}
