/** A VM that is not there: which ones were probably meant, of those alone that could have been. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startVcsim, type Vcsim } from '../support/vcsim.js';
import { ask, failure } from './vcenter-asking.js';

const disks = [{ capacity_bytes: 2 ** 30 }];
let vcsim: Vcsim;

beforeAll(async () => {
  vcsim = await startVcsim({
    vms: [
      { name: 'production-db', folder: 'db', disks },
      { name: 'Web-01', folder: 'web', disks },
      { name: 'web-02', folder: 'web', disks },
      { name: 'web-02', folder: 'old', disks },
      { name: 'productive-db', datacenter: 'DC1', disks },
    ],
    many: 5_000,
  });
});

afterAll(async () => {
  await vcsim?.stop();
});

const words = async (name: string, datacenter?: string): Promise<string> =>
  failure(ask(vcsim, name, datacenter === undefined ? {} : { datacenter }), 'VM_NOT_FOUND');

describe('an unknown VM', () => {
  test('by name: near names, upper and lower case are one', async () => {
    expect(await words('PRODUCTOIN-DB')).toBe(
      `VM "PRODUCTOIN-DB" was not found on vCenter ${vcsim.host}; did you mean "production-db" or "productive-db"?`,
    );
    expect(await words('mail')).toBe(`VM "mail" was not found on vCenter ${vcsim.host}`);
  });

  test('with several of the near name: their paths', async () => {
    const said = await words('web-2');
    for (const path of ['"/DC0/vm/web/web-02"', '"/DC0/vm/old/web-02"']) expect(said).toContain(path);
  });

  test('by a path in which the folder is wrong: the right path', async () => {
    expect(await words('/DC0/vm/web/production-db')).toMatch(/did you mean "\/DC0\/vm\/db\/production-db"/);
  });

  test('in a datacenter: none of another one is named', async () => {
    expect(await words('production-d', 'DC1')).toBe(
      `VM "production-d" was not found on vCenter ${vcsim.host} in datacenter DC1; did you mean "productive-db"?`,
    );
  });

  test('among 5,000 costs no question beyond the pages of names', async () => {
    const before = (await vcsim.control()).calls;
    expect(await words('many-9999')).toContain('did you mean "many-00999"');
    const after = (await vcsim.control()).calls;
    const asked = (method: string): number => (after[method] ?? 0) - (before[method] ?? 0);
    expect(asked('RetrievePropertiesEx')).toBe(1);
    // 500 names in each, after the first.
    expect(asked('ContinueRetrievePropertiesEx')).toBe(Math.ceil(5_005 / 500) - 1);
  });
});
