import { z } from 'zod';

/** `critical`: it will probably not work; `warning`: a person should look; `info`: good to know. */
export const Severity = z.enum(['info', 'warning', 'critical']);
export type Severity = z.infer<typeof Severity>;

interface ConcernMeaning {
  readonly severity: Severity;
  /** What to do. */
  readonly advice: string;
}

const info = (advice: string): ConcernMeaning => ({ severity: 'info', advice });
const warning = (advice: string): ConcernMeaning => ({ severity: 'warning', advice });
const critical = (advice: string): ConcernMeaning => ({ severity: 'critical', advice });

/** What may worry about a VM that can be converted all the same (errors are what stops it). */
export const CONCERNS = {
  // Source
  SOURCE_RUNNING: info('The copy is that of a power cut; use --source-power shutdown for a clean one.'),
  SOURCE_SNAPSHOTS: info('They are not moved: the VM gets the present state only.'),
  SOURCE_DEVICE: warning('See the message: the device is not moved.'),
  EXPORT: warning('See the message; it is of the export.'),
  EXPORT_NOT_VERIFIED: warning('Compare it now: hyperctl verify --job <id>.'),
  // Guest
  GUEST_UNKNOWN: warning('The message says what was not recognised; convert it with --verify-boot to know.'),
  MOUNT_MISSING: warning(
    'Check that all disks of the VM were given: without that mount the guest may stop while it starts.',
  ),
  VOLUME_LOCKED: warning('Give its key with --luks-key where something in it has to be converted.'),
  FSTAB_MISSING: warning('Make sure that the guest mounts what it needs.'),
  FSTAB_DEVICE_UNKNOWN: warning('Name the file system by UUID in the guest, before or after the conversion.'),
  CRYPTTAB_DEVICE_UNKNOWN: warning('Name the volume by UUID in /etc/crypttab.'),
  STORAGE_DEVICE_UNKNOWN: warning('Have LVM or mdadm look at all disks, in the file that the message names.'),
  NETWORK_MAC_UNKNOWN: warning("Adapt the guest's network configuration to the new MAC address after its first start."),
  NETWORK_NAME_UNKNOWN: warning("Compare the guest's network configuration with `ip link` after its first start."),
  NETWORK_NAME_UNUSED: info('Nothing, where the interface was unused before too.'),
  NETWORK_CLOUD_INIT: info('See the message; cloud-init was kept from changing the network.'),
  TOOLS_LEFT: info("Remove the rest in the running guest, with the guest's package manager."),
  INITRAMFS_DRIVER_UNAVAILABLE: warning('Install a kernel that has the driver.'),
  INITRAMFS_KERNEL_SKIPPED: info('That kernel would not start on KVM; choose another in the boot menu.'),
  BOOTLOADER_UNKNOWN: warning('Convert it with --verify-boot to know whether it boots.'),
  BOOTLOADER_DEVICE_UNKNOWN: warning('Name the root by UUID in the boot entries.'),
  BOOTLOADER_INSTALL_DEVICE: info(
    'Once it runs, name its disk: dpkg-reconfigure grub-pc (Debian, Ubuntu), /etc/default/grub_installdevice (SUSE).',
  ),
  BOOT_VOLUME_MISSING: warning('Take it off the command line of the kernel if it is gone: the guest may wait for it.'),
  BOOTLOADER_FALLBACK: warning('The firmware may not find the boot loader: check the boot order in the UEFI menu.'),
  SELINUX: info('The guest labels its files at the first start and restarts once.'),
  DRIVERS: warning('See the message; it is of the drivers.'),
  // Domain
  TPM_MISSING: warning('Install swtpm and swtpm-tools on the libvirt host.'),
  TPM_BLANK: warning('What the old TPM held is gone: have recovery keys (BitLocker, LUKS with clevis) at hand.'),
  SECURE_BOOT: info("The domain's firmware has Microsoft's keys; others have to be enrolled again."),
  NETWORK_UNMAPPED: info('Map it: --map-network "<source network>=<bridge>".'),
  TARGET: warning('See the message; it is of the libvirt host.'),
  SPACE: critical('Free space in the folder that the message names, before the conversion starts.'),
  // Proof
  PROOF_UNIT_FAILED: info('Compare with the source: the unit may have failed there too.'),
  PROOF_NO_ADDRESS: warning("Compare the guest's network configuration with `ip link` after its first start."),
  PROOF_LIMITED: info('The message says what the boot proof could not see.'),
} as const satisfies Record<string, ConcernMeaning>;
export type ConcernCode = keyof typeof CONCERNS;

/** Something that a person should know of, though nothing failed. */
export const Concern = z.object({
  /** One of CONCERNS; a newer worker may know more. */
  code: z.string(),
  severity: Severity,
  /** One sentence with names and figures. */
  message: z.string(),
  advice: z.string(),
});
export type Concern = z.infer<typeof Concern>;

export const concernOf = (code: ConcernCode, message: string): Concern => ({ code, message, ...CONCERNS[code] });
