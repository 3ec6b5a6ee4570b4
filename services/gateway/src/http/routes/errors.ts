/** What a vCenter may answer to a question. */
export const VCENTER_ERRORS = [
  'VCENTER_LOGIN',
  'VCENTER_PERMISSION',
  'VCENTER_UNREACHABLE',
  'VCENTER_TLS',
  'VCENTER_FAULT',
  'VCENTER_BUSY',
] as const;

/** Why a VM may not go where it is to go. */
export const TARGET_ERRORS = [
  'TARGET_UNSUITABLE',
  'DOMAIN_EXISTS',
  'DRIVERS_MISSING',
  'GUEST_UNSUPPORTED',
  'LIBVIRT',
  'DISK_FULL',
] as const;

/** Why a VM, or files on the worker, cannot be exported. */
export const SOURCE_ERRORS = [
  'BAD_REQUEST',
  ...VCENTER_ERRORS,
  'VM_NOT_FOUND',
  'VM_AMBIGUOUS',
  'VM_UNSUPPORTED',
  'PATH_DENIED',
  'SOURCE_INVALID',
  'SOURCE_CHECKSUM',
  'NO_WORKER',
] as const;
