import { concernOf, type Inspection } from '@hyper2kvm/contracts';
import { describe, expect, it } from 'vitest';
import { inspected } from '../../test/support/cli-samples.js';
import { inspectionLines } from '../src/lib/inspect-report.js';
import { painter } from '../src/lib/width.js';

const lines = (change: Partial<Inspection>, diff = false): string[] =>
  inspectionLines(inspected(change), { paint: painter(false), origin: 'local files', diff });

describe('an inspection', () => {
  it('says what it is, what would be done, what worries and what it takes', () => {
    expect(lines({})).toEqual([
      '🔎 web-01 (local files)',
      'Machine:       4 CPUs, 8192 MiB, UEFI, TPM',
      'Disks:         2, 100 GB in all',
      'NICs:          VM Network, Network adapter 2',
      'Guest OS:      Debian GNU/Linux 12 (bookworm) (x86_64, systemd)',
      'Root:          /dev/sda2',
      'Kernels:       6.1.0-28-amd64, 6.1.0-25-amd64',
      'File systems:  / on /dev/sda2, /boot/efi on /dev/sda1',
      'Engine:        native',
      '',
      'What would be done:',
      '   fstab       /etc/fstab: /dev/sda2 becomes a UUID',
      '   initramfs   rebuilt for 6.1.0-28-amd64',
      '',
      'Concerns:',
      '⚠️  warning: The VM has a virtual TPM. (TPM_BLANK)',
      '   What the old TPM held is gone: have recovery keys (BitLocker, LUKS with clevis) at hand.',
      '',
      'Estimate:',
      '   Time:          export 2m 0s, conversion 1m 30s',
      '   Space:         40 GB at most, 400 GB free',
    ]);
  });

  it('shows diffs where they are asked for', () => {
    const shown = lines({}, true);
    const at = shown.findIndex((line) => line.includes('/etc/fstab'));
    expect(shown.slice(at + 1, at + 6)).toEqual([
      '      --- /etc/fstab',
      '      +++ /etc/fstab',
      '      @@ -1 +1 @@',
      '      -/dev/sda2 / ext4 defaults 0 1',
      '      +UUID=abc / ext4 defaults 0 1',
    ]);
  });

  it('says why nobody looked, and what is not known', () => {
    const shown = lines({
      inspection: null,
      not_inspected: 'The disks are looked into after their export.',
      concerns: [],
      estimate: { export_seconds: null, conversion_seconds: null, space_bytes: 40e9, free_bytes: null },
    });
    expect(shown).toContain('Not inspected: The disks are looked into after their export.');
    expect(shown).toContain('   Time:          not known before the first job is through');
    expect(shown).toContain('   Space:         40 GB at most');
    expect(shown.join('\n')).not.toMatch(/Guest OS|Concerns|What would be done/);
  });

  it('ends with the refusal, once', () => {
    const refusal = { code: 'GUEST_MULTIPLE_OS', message: 'Two were found.', advice: 'Choose one: --root <device>.' };
    const shown = lines({ inspection: null, not_inspected: refusal.message, refusal });
    expect(shown.slice(-2)).toEqual([
      '❌ It would be refused: Two were found. (GUEST_MULTIPLE_OS)',
      '   Try: Choose one: --root <device>.',
    ]);
    expect(shown.join('\n').match(/Two were found/g)).toHaveLength(1);
  });

  it('lets no guest steer the terminal', () => {
    const concerns = [concernOf('TARGET', 'a\u001b[2Jb')];
    const guest = { ...inspected().inspection?.guest, product: 'x\u001b[31m' };
    const change = { concerns, inspection: { ...inspected().inspection, guest } } as Partial<Inspection>;
    expect(lines(change).join('\n')).not.toContain('\u001b');
  });
});
