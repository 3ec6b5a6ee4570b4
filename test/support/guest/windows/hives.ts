/** What the registry of a freshly installed Windows Server 2022 (21H2) says, as far as anybody asks here. */
import type { HiveContent } from './regf.js';

/** Of the disk in its MBR, as MountedDevices names it. */
export const DISK_ID = 0x4b_56_4d_32;

const CURRENT_VERSION = {
  ProductName: { sz: 'Windows Server 2022 Standard' },
  CurrentVersion: { sz: '6.3' },
  CurrentBuild: { sz: '20348' },
  CurrentBuildNumber: { sz: '20348' },
  CurrentMajorVersionNumber: { dword: 10 },
  CurrentMinorVersionNumber: { dword: 0 },
  DisplayVersion: { sz: '21H2' },
  EditionID: { sz: 'ServerStandard' },
  InstallationType: { sz: 'Server' },
  BuildLabEx: { sz: '20348.1.amd64fre.fe_release.210507-1500' },
  SystemRoot: { sz: 'C:\\Windows' },
  UBR: { dword: 587 },
};

export const SOFTWARE: HiveContent = {
  'Microsoft\\Windows NT\\CurrentVersion': CURRENT_VERSION,
  'Microsoft\\Windows\\CurrentVersion': {
    DevicePath: { expand: '%SystemRoot%\\inf' },
    ProgramFilesDir: { sz: 'C:\\Program Files' },
  },
  'Microsoft\\Windows\\CurrentVersion\\Uninstall\\{6F320B93-EE3C-4826-85E0-ADF79F8D4C61}': {
    DisplayName: { sz: 'Orders for Windows' },
    DisplayVersion: { sz: '4.2.0' },
  },
  'Microsoft\\Windows\\CurrentVersion\\Uninstall\\{F32C4E7B-2BF8-4788-8408-824C6896E1BB}': {
    DisplayName: { sz: 'VMware Tools' },
    DisplayVersion: { sz: '12.3.5.22544099' },
    // As VMware writes it: /I would install.
    UninstallString: { sz: 'MsiExec.exe /I{F32C4E7B-2BF8-4788-8408-824C6896E1BB}' },
  },
};

/** The disk's id and where its partition begins (bytes): what a drive letter is bound to on an MBR disk. */
function driveLetter(partitionOffset: number): { binary: Buffer } {
  const binary = Buffer.alloc(12);
  binary.writeUInt32LE(DISK_ID, 0);
  binary.writeBigUInt64LE(BigInt(partitionOffset), 4);
  return { binary };
}

const driver = (name: string, start: number) => ({
  Type: { dword: 1 },
  Start: { dword: start },
  ErrorControl: { dword: 1 },
  Group: { sz: 'SCSI miniport' },
  ImagePath: { expand: `System32\\drivers\\${name}.sys` },
});

/** @param systemOffset where the partition of drive C: begins, in bytes */
export const system = (systemOffset: number): HiveContent => ({
  Select: {
    Current: { dword: 1 },
    Default: { dword: 1 },
    Failed: { dword: 0 },
    LastKnownGood: { dword: 1 },
  },
  MountedDevices: { '\\DosDevices\\C:': driveLetter(systemOffset) },
  Setup: { SystemSetupInProgress: { dword: 0 }, SetupType: { dword: 0 }, OOBEInProgress: { dword: 0 } },
  'ControlSet001\\Control\\ComputerName\\ComputerName': { ComputerName: { sz: 'ORDERS-WIN' } },
  'ControlSet001\\Control\\CrashControl': { AutoReboot: { dword: 1 } },
  'ControlSet001\\Control\\Class\\{4d36e97b-e325-11ce-bfc1-08002be10318}': { Class: { sz: 'SCSIAdapter' } },
  'ControlSet001\\Enum\\PCI': {},
  'ControlSet001\\Services\\pvscsi': driver('pvscsi', 0),
  'ControlSet001\\Services\\storahci': driver('storahci', 0),
  'ControlSet001\\Services\\Tcpip\\Parameters': { Hostname: { sz: 'orders-win' }, 'NV Hostname': { sz: 'orders-win' } },
  // Windows 8 and later look drivers up here, not in the CriticalDeviceDatabase.
  'DriverDatabase\\DeviceIds\\PCI': {},
  'DriverDatabase\\DriverInfFiles': {},
  'DriverDatabase\\DriverPackages': {},
});
