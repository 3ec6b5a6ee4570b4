import VcenterList from './list.js';

export default class Vcenter extends VcenterList {
  static override summary = 'vCenter connections that the gateway knows.';
  static override examples = ['<%= config.bin %> vcenter', '<%= config.bin %> vcenter test prod'];
}
