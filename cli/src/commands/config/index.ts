import ConfigView from './view.js';

export default class Config extends ConfigView {
  static override summary = 'Settings of hyperctl: show and change them, and the contexts for several gateways.';
  static override examples = [
    '<%= config.bin %> config --origin',
    '<%= config.bin %> config set vsphere.server vcenter.example.com',
    '<%= config.bin %> config use-context prod',
  ];
}
