import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { NEEDED_PRIVILEGES } from '../src/sources/vsphere/privileges.js';

const page = readFileSync(new URL('../../../docs/vcenter-privileges.md', import.meta.url), 'utf8');
/** Given by vSphere itself with every role. */
const IMPLIED = ['System.View', 'System.Read'];

describe('docs/vcenter-privileges.md', () => {
  it('has the table of the code', () => {
    const rows = page
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((line) => line.split('|').map((cell) => cell.trim()))
      .map(([, privilege, neededFor, required]) => ({
        privilege: privilege?.replaceAll('`', ''),
        neededFor,
        required: required === 'yes',
      }));
    expect(rows).toEqual(NEEDED_PRIVILEGES);
  });

  it('makes a role of exactly these with govc', () => {
    const [, command = ''] = /govc role\.create hyper2kvm((?:.*\\\n)*.*)/.exec(page) ?? [];
    const given = command.split(/[\s\\]+/).filter((word) => word !== '');
    const wanted = NEEDED_PRIVILEGES.map(({ privilege }) => privilege).filter((id) => !IMPLIED.includes(id));
    expect(given.toSorted()).toEqual(wanted.toSorted());
  });
});
