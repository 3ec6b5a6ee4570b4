import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { PASSPHRASE } from '../support/guest/recipes/luks-raid.js';
import { expectWhole, LIMIT_MS, withMovedGuest } from './move.js';

const key = (text: string) => ({ key_base64: Buffer.from(text).toString('base64') });

it('an encrypted root, data on a RAID 1 of two more disks, a TPM', { timeout: LIMIT_MS }, () =>
  withMovedGuest(
    'luks-raid',
    // As of several VMs in one file: the first is not this one's. The right one comes from a file, with its line end.
    { luksKeys: [key('another'), key(`${PASSPHRASE}\n`)], vm: { tpm: true, firmware: 'bios' } },
    async (moved) => {
      expectWhole(moved);
      const serial = await readFile(path.join(moved.converted.output_dir, 'evidence', 'serial.log'), 'latin1');
      // It has no serial console: without the proof's own nobody would see the question.
      expect(serial).toContain('Please unlock disk sda2_crypt');
      expect(serial + moved.log.join('\n')).not.toContain(PASSPHRASE);
    },
  ),
);
