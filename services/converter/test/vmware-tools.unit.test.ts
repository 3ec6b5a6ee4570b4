import { array, assert, constantFrom, property, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { installedFiles } from '../src/steps/vmware-tools/locations.js';
import { apkTools, dpkgTools, isTools, pacmanTools, rpmTools } from '../src/steps/vmware-tools/packages.js';

const STATUS = `Package: open-vm-tools
Status: install ok installed
Priority: optional
Depends: libc6, systemd

Package: open-vm-tools-desktop
Status: deinstall ok config-files
Version: 2:12.2.0-1

Package: libvmtools-doc
Status: install ok installed

Package: open-vm-tools-salt-minion
Status: install ok installed
`;

describe('packages', () => {
  it('dpkg: what is installed, not what left its configuration behind', () => {
    expect(dpkgTools(STATUS)).toEqual(['open-vm-tools', 'open-vm-tools-salt-minion']);
  });

  it('rpm: names end two dashes from the end', () => {
    const list =
      'kernel-5.14.0-362.8.1.el9_3.x86_64\nopen-vm-tools-12.2.5-3.el9.x86_64\nopen-vm-tools-desktop-12.2.5-3.el9.x86_64\n';
    expect(rpmTools(list)).toEqual(['open-vm-tools', 'open-vm-tools-desktop']);
    expect(rpmTools('vmware-tools-core-9.4.12-1.el6.x86_64\n')).toEqual(['vmware-tools-core']);
  });

  it('apk and pacman', () => {
    expect(apkTools('C:Q1\nP:open-vm-tools\nV:12.3.5-r0\n\nP:busybox\n')).toEqual(['open-vm-tools']);
    expect(pacmanTools(['open-vm-tools-6:12.4.5-1', 'linux-6.9.1.arch1-1'])).toEqual(['open-vm-tools']);
  });

  it('no other package is theirs', () => {
    for (const name of ['vmware', 'xserver-xorg-video-vmware', 'libvmtools', 'open-vm-toolsx', 'pve-open-vm-tools'])
      expect(isTools(name), name).toBe(false);
  });
});

describe("the list of VMware's installer", () => {
  const LOCATIONS = `answer BINDIR /usr/bin
file /etc/vmware-tools/services.sh 1573839201
directory /usr/lib/vmware-tools
directory /usr/lib/vmware-tools/bin64
file /usr/lib/vmware-tools/bin64/appLoader
file /usr/bin/vmware-toolbox-cmd
file /etc/vmware-tools/gone
remove_file /etc/vmware-tools/gone
file /etc/shadow
file /etc/vmware-tools/../shadow
file /home/me/vmware.txt
`;

  it('what is there still, the deepest folder first', () => {
    expect(installedFiles(LOCATIONS)).toEqual({
      files: ['/etc/vmware-tools/services.sh', '/usr/lib/vmware-tools/bin64/appLoader', '/usr/bin/vmware-toolbox-cmd'],
      folders: ['/usr/lib/vmware-tools/bin64', '/usr/lib/vmware-tools'],
    });
  });

  it('never names a file outside of their places, whatever the list says', () => {
    const word = constantFrom('file', 'directory', 'remove_file');
    const path = array(constantFrom('etc', 'usr', 'lib', 'home', '..', 'vmware-tools', 'shadow', '', 'vmware'));
    assert(
      property(array(tuple(word, path)), (lines) => {
        const text = lines.map(([verb, parts]) => `${verb} /${parts.join('/')}`).join('\n');
        const { files, folders } = installedFiles(text);
        for (const found of [...files, ...folders]) {
          expect(found).toMatch(/^\/(etc|usr|lib|lib64|sbin|bin|opt|var)\//);
          expect(found.split('/')).not.toContain('..');
        }
      }),
    );
  });
});
