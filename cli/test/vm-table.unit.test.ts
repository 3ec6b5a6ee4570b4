import { describe, expect, it } from 'vitest';
import { VmTable } from '../src/lib/vm-table.js';
import { stringWidth } from '../src/lib/width.js';
import { inventoryVm } from '../../test/support/cli-samples.js';

const VMS = [
  inventoryVm(1),
  inventoryVm(3, { name: 'production-reporting', used_bytes: undefined, guest_name: undefined }),
  inventoryVm(4, { template: true, folder: '/DC1/vm/templates of a very long name that goes on and on' }),
];

describe('the table of VMs', () => {
  it('shows name, power, disks, sizes, guest, id and folder', () => {
    expect(new VmTable(undefined).lines(VMS.slice(0, 2))).toEqual([
      'NAME                  POWER  DISKS  SIZE      USED     GUEST                         ID       FOLDER',
      'web-1                 on     2      171.8 GB  64.4 GB  Debian GNU/Linux 12 (64-bit)  vm-1001  /DC1/vm/web',
      'production-reporting  off    2      171.8 GB  -        -                             vm-1003  /DC1/vm/web',
    ]);
  });

  it('has the heads once and the columns of the first page, however many follow', () => {
    const table = new VmTable(undefined);
    const first = table.lines(VMS.slice(0, 1));
    const [second = ''] = table.lines([inventoryVm(5)]);
    expect(first).toHaveLength(2);
    expect(second.indexOf('vm-1005')).toBe(first[0]?.indexOf('ID'));
    // A longer name moves its own line alone.
    expect(table.lines(VMS.slice(1, 2))).toEqual([
      'production-reporting  off    2      171.8 GB  -        -                             vm-1003  /DC1/vm/web',
    ]);
  });

  it.each([
    [130, 'NAME POWER DISKS SIZE USED GUEST ID FOLDER'],
    [90, 'NAME POWER DISKS SIZE USED ID FOLDER'],
    [70, 'NAME POWER DISKS SIZE USED ID'],
    [60, 'NAME POWER DISKS SIZE ID'],
    [50, 'NAME POWER SIZE ID'],
    [30, 'NAME POWER'],
    [12, 'NAME'],
  ])('leaves columns away that have no room in %i cells', (width, heads) => {
    const lines = new VmTable(width).lines(VMS);
    expect(lines[0]?.replace('…', '').trim().split(/ +/).join(' ')).toBe(heads);
    for (const line of lines) expect(stringWidth(line), line).toBeLessThanOrEqual(width);
  });

  it('calls a template one, and knows each power state', () => {
    const vms = [
      inventoryVm(1, { template: true }),
      inventoryVm(1, { power_state: 'suspended' }),
      inventoryVm(1, { power_state: undefined }),
    ];
    const [, ...lines] = new VmTable(undefined).lines(vms);
    expect(lines.map((line) => line.split(/ +/)[1])).toEqual(['template', 'suspended', 'unknown']);
  });

  it('shows tags where they were asked for', () => {
    const [heads, line] = new VmTable(undefined).lines([inventoryVm(1, { tags: ['stage:prod', 'tier:web'] })]);
    expect(heads).toMatch(/ TAGS$/);
    expect(line).toMatch(/ stage:prod, tier:web$/);
  });

  it('does not let a name steer the terminal', () => {
    expect(new VmTable(undefined).lines([inventoryVm(1, { name: 'a\u001b[2Jb\nc' })])[1]).toMatch(/^a\[2Jb c /);
  });
});
