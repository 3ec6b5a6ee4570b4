import WorkersList from './list.js';

export default class Workers extends WorkersList {
  static override summary = 'The exporters and converters that run, and what they are at.';
  static override examples = ['<%= config.bin %> workers', '<%= config.bin %> workers show kvm01-converter'];
}
