export type { Children } from './children.js';
export { transferAndVerify, type DiskTransfer } from './disk-transfer.js';
export type { TransferResult, TransferTask } from './messages.js';
