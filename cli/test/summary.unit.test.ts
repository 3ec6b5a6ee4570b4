import { describe, expect, it } from 'vitest';
import { readDomainXml } from '../src/lib/domain-xml.js';
import { virtInstall } from '../src/lib/virt-install.js';
import { summaryLines } from '../src/progress/summary.js';
import { statusLines } from '../src/progress/status.js';
import { completed, failed, importOf, job, JOB_ID } from '../../test/support/cli-samples.js';

const PLAIN = { color: false, columns: 80 };
const text = (change: Parameters<typeof job>[0]): string => summaryLines(job(change), PLAIN).join('\n');
const XML = `<domain type='kvm'>
  <name>bob-s-vm</name>
  <os><type arch='x86_64' machine='q35'>hvm</type>
    <loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader>
    <nvram template='/usr/share/OVMF/OVMF_VARS_4M.fd'>/srv/out/nvram.fd</nvram></os>
  <devices>
    <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/srv/out/a b.qcow2'/><target dev='vda' bus='virtio'/></disk>
    <disk type="file" device="disk"><driver name="qemu" type="raw"/><source file="/srv/out/c,d.raw"/><target dev="sda" bus="scsi"/></disk>
    <interface type='network'><mac address='00:50:56:ab:cd:ef'/><source network='lan'/><model type='virtio'/></interface>
    <interface type='bridge'><mac address='00:50:56:ab:cd:f0'/><source bridge='br0'/><model type='virtio'/></interface>
  </devices>
</domain>`;

/** The steps that the end of a job proposes. */
const next = (change: Parameters<typeof completed>[0]): string[] => {
  const lines = summaryLines(completed(change), PLAIN);
  return lines.slice(lines.indexOf('Next steps:') + 2, -3);
};

describe('the end of a job', () => {
  it('shows what came out and what to do next', () => {
    const output = '/var/lib/hyper2kvm/output/2026-01-17/production-db';
    expect(summaryLines(completed(), PLAIN)).toEqual([
      '',
      `╔${'═'.repeat(58)}╗`,
      `║${' '.repeat(17)}✅ Conversion Successful${' '.repeat(17)}║`,
      `╚${'═'.repeat(58)}╝`,
      '',
      `Job ID:        ${JOB_ID}`,
      'Source VM:     production-db (vSphere)',
      'Guest OS:      Debian GNU/Linux 12 (bookworm)',
      'Total Size:    100 GB',
      'Total Time:    12m 57s',
      `Output:        ${output}/`,
      'Domain:        not defined in libvirt',
      'Boot proof:    ✅ booted: kernel 6.1.0-28-amd64, ens192 10.0.2.15/24, 41s',
      `Evidence:      ${output}/proof/serial.log`,
      `               ${output}/proof/screen.png`,
      '',
      'Next steps:',
      '',
      '1. Import to libvirt:',
      `   hyperctl import --job ${JOB_ID}`,
      '   or, on the machine that has the files:',
      `   virsh define ${output}/domain.xml`,
      '   virsh start production-db',
      '',
      '2. Or manually:',
      '   virt-install --name production-db \\',
      '     --memory 16384 --vcpus 8 \\',
      `     --disk path=${output}/disk1.qcow2,format=qcow2,bus=virtio,discard=unmap \\`,
      `     --disk path=${output}/disk2.qcow2,format=qcow2,bus=virtio,discard=unmap \\`,
      '     --network network=default,model=virtio \\',
      '     --import --osinfo detect=on,require=off --noautoconsole',
      '',
      '3. View logs:',
      `   hyperctl logs --job ${JOB_ID}`,
    ]);
  });

  it('says how to go back where the source was switched off', () => {
    const lines = summaryLines(completed({ source_power: 'shutdown', libvirt_domain: 'db' }), PLAIN);
    expect(lines.slice(-4)).toEqual([
      '4. The source VM is off and unchanged. To go back:',
      '   virsh shutdown db',
      '   then power production-db on in vCenter.',
      '   Never run both: they are one machine, with the same addresses.',
    ]);
    expect(summaryLines(completed(), PLAIN).join('\n')).not.toContain('go back');
    for (const end of [failed({ source_power: 'off' }), job({ status: 'cancelled', source_power: 'off' })])
      expect(summaryLines(end, PLAIN).at(-1)).toMatch(/^Source: .*power it on in vCenter/);
    expect(summaryLines(failed(), PLAIN).at(-1)).toMatch(/^Logs:/);
  });

  it('names the files where the VM came from no vCenter', () => {
    const local = completed({ vcenter_server: 'local' });
    expect(summaryLines(local, PLAIN)).toContain('Source VM:     production-db (local files)');
    const origin = { local: true, label: 'OVA web.ova' };
    expect(summaryLines(local, { ...PLAIN, origin })).toContain('Source VM:     production-db (OVA web.ova)');
    expect(statusLines(job({ vcenter_server: 'local' }), PLAIN)).toContain(
      'Source VM:     production-db (local files)',
    );
  });

  it('shows what is still to be removed, or could not be', () => {
    const cleanup = { status: 'queued', message: null, next_try_at: null } as const;
    expect(text({ status: 'cancelled', cleanup })).toContain('Clean-up:      goes on');
    expect(text({ status: 'completed', cleanup: { ...cleanup, status: 'failed', message: 'It stays.' } })).toContain(
      'Clean-up:      ⚠️  It stays. It is not tried again',
    );
    expect(text({ status: 'failed', cleanup: { ...cleanup, status: 'completed' } })).not.toContain('Clean-up');
  });

  it('does not ask to define what is defined', () => {
    expect(next({ libvirt_domain: 'production-db' })).toEqual([
      '1. It is defined in libvirt. Start it:',
      '   virsh start production-db',
      '',
      '2. See its console:',
      '   virsh console production-db',
    ]);
    // virt-install would make the same machine again, and fail.
    const imported = importOf();
    expect(next({ libvirt_domain: 'production-db', import: imported })[1]).toBe(
      '   virsh --connect qemu:///system start production-db',
    );
    const { report } = imported;
    const started = importOf({ report: report && { ...report, started: true } });
    expect(next({ libvirt_domain: 'production-db', import: started })).toEqual([
      '1. It runs in libvirt. See its console:',
      '   virsh --connect qemu:///system console production-db',
    ]);
  });

  it('says what failed, what to try, and where to look', () => {
    const text = summaryLines(failed(), PLAIN).join('\n');
    expect(text).toContain('❌ Conversion Failed');
    expect(text).toContain('no space left in /srv/out');
    expect(text).toContain(`hyperctl retry --job ${JOB_ID}.`);
    expect(text).toContain('DISK_FULL');
    expect(text).toContain('0af7651916cd43dd8448eb211c80319c');
  });

  it('is no box where there is no room for one', () => {
    expect(summaryLines(completed(), { ...PLAIN, columns: 20 })[1]).toBe('✅ Conversion Succe…');
  });

  it('is not there before the end', () => {
    expect(summaryLines(job({ status: 'converting' }), PLAIN)).toEqual([]);
    const running = {
      status: 'in_progress',
      current_step: 'injecting_virtio_drivers',
      steps_completed: 3,
      steps_total: 9,
      duration_seconds: null,
    };
    expect(statusLines(job({ status: 'converting', conversion: running }), PLAIN)).toContain(
      'Conversion:    in_progress: Injecting VirtIO drivers (3 of 9 steps done)',
    );
  });
});

describe('a job that waits', () => {
  it('shows why, and what was asked of its export', () => {
    const asked = {
      waiting_reason: '4 of 4 disks of host esx07',
      bandwidth_bytes_per_second: 2e8,
      source_power: 'off' as const,
    };
    const lines = statusLines(job(asked), PLAIN);
    expect(lines).toContain('Waiting:       4 of 4 disks of host esx07');
    expect(lines).toContain('Bandwidth:     at most 200 MB/s');
    expect(lines).toContain('Source power:  off');
    expect(statusLines(job(), PLAIN).join('\n')).not.toMatch(/Waiting:|Bandwidth|Source power/);
  });
});

describe('the virt-install line', () => {
  it('keeps disks, buses, networks, MACs and firmware of the domain, quoted for a shell', () => {
    const efi = completed({
      machine: { cpus: 2, memory_bytes: 1536 * 1024 ** 2, firmware: 'efi' },
      vm_name: "bob's vm",
    });
    expect(virtInstall(efi, readDomainXml(XML))).toEqual([
      'virt-install --name bob-s-vm',
      '--memory 1536 --vcpus 2',
      `--disk 'path="/srv/out/a b.qcow2",format=qcow2,bus=virtio,discard=unmap'`,
      `--disk 'path="/srv/out/c,d.raw",format=raw,bus=scsi,discard=unmap'`,
      '--controller type=scsi,model=virtio-scsi',
      '--network network=lan,model=virtio,mac=00:50:56:ab:cd:ef',
      '--network bridge=br0,model=virtio,mac=00:50:56:ab:cd:f0',
      '--machine q35',
      '--boot loader=/usr/share/OVMF/OVMF_CODE_4M.fd,loader.readonly=yes,loader.type=pflash,nvram=/srv/out/nvram.fd,nvram.template=/usr/share/OVMF/OVMF_VARS_4M.fd',
      '--tpm none',
      '--import --osinfo detect=on,require=off --noautoconsole',
    ]);
  });

  it('asks for UEFI where the domain cannot be read here', () => {
    const efi = completed({ machine: { cpus: 1, memory_bytes: 1024 ** 3, firmware: 'efi' } });
    expect(virtInstall(efi, undefined)).toContain('--boot uefi');
    expect(virtInstall(completed(), undefined)?.join(' ')).not.toContain('--boot');
  });

  it('is not there for names that virt-install would change', () => {
    const odd = completed({ files: ["/srv/out/bob's/disk1.qcow2"] });
    expect(virtInstall(odd, undefined)).toBeUndefined();
    expect(summaryLines(odd, PLAIN)).toContain('   not by virt-install, which takes no file of such a name');
  });
});

describe('a job that waits, as hyperctl status shows it', () => {
  it('tells its batch, its time, its place and its reason', () => {
    const at = '2099-01-17T21:00:00Z';
    const lines = statusLines(
      job({
        batch_id: 'batch-7k2m9x4qa3hd',
        wave: 'web',
        tags: ['a', 'b'],
        not_before: at,
        window: 'Sat 22:00-06:00 Europe/Berlin',
        callback_url: 'https://x.example/[redacted]',
        slack_webhook: 'https://hooks.slack.com/[redacted]',
        notify_email: 'ops@example.com',
        trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
        connection: 'prod',
        queue_position: 3,
        estimated_start: at,
        waiting_reason: 'wave web waits for wave db',
      }),
      PLAIN,
    );
    const rows = Object.fromEntries(lines.map((line) => [line.slice(0, 15).trim(), line.slice(15)]));
    expect(rows).toMatchObject({
      'Batch:': 'batch-7k2m9x4qa3hd, wave web',
      'Tags:': 'a, b',
      'Login:': 'vCenter connection prod',
      'Window:': 'Sat 22:00-06:00 Europe/Berlin',
      'E-mail:': 'ops@example.com',
      'Slack:': 'https://hooks.slack.com/[redacted]',
      'Callback:': 'https://x.example/[redacted]',
      'Trace:': '4bf92f3577b34da6a3ce929d0e0e4736',
      'Queue:': 'position 3',
      'Waiting:': 'wave web waits for wave db',
    });
    expect(rows['Not before:']).toMatch(/^(Sat|Sun) 2099-01-1[78] .*, in \d+ d/);
    expect(rows['Starts:']).toMatch(/^about (Sat|Sun) 2099/);
    const single = statusLines(job({ batch_id: 'batch-7k2m9x4qa3hd', wave: 'all' }), PLAIN);
    expect(single).toContain('Batch:         batch-7k2m9x4qa3hd');
  });

  it('once it ended tells who heard of it and its trace, which the end of a migration does not', () => {
    const told = { notify_email: 'ops@example.com', trace_id: '4bf92f3577b34da6a3ce929d0e0e4736' };
    for (const status of ['completed', 'cancelled', 'failed'] as const) {
      const one = { ...completed(told), status };
      for (const line of ['E-mail:        ops@example.com', `Trace:         ${told.trace_id}`])
        expect(statusLines(one, PLAIN)).toContain(line);
      expect(summaryLines(one, PLAIN).join('\n')).not.toContain('E-mail');
    }
  });

  it('has a next step where it rests in exported, and none where its conversion is queued', () => {
    const rests = job({ status: 'exported', phase: 'conversion' });
    for (const lines of [summaryLines(rests, PLAIN), statusLines(rests, PLAIN)]) {
      expect(lines.join('\n')).toContain('✅ Export Complete');
      expect(lines.at(-1)).toBe(`   hyperctl convert --job ${JOB_ID}`);
    }
    const queued = job({ status: 'exported', conversion: { ...job().conversion, status: 'queued' } });
    expect(summaryLines(queued, PLAIN)).toEqual([]);
    expect(statusLines(queued, PLAIN).join('\n')).toContain('Status:        exported');
  });
});
