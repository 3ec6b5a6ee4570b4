export type { Children } from './children.js';
export { transferAndVerify, type DiskTransfer, type TransferControl } from './disk-transfer.js';
export type { DiskInput, NfcInput, Pour, QemuInput, RangesInput, Sink, VmdkFileInput } from './inputs/input.js';
export type { DigestName, TransferJournal, TransferResult, TransferTask } from './messages.js';
