import { runGuarded } from '@hyper2kvm/runtime';
import type { ApplianceDisk } from '../guest/index.js';

/** A disk image and what it is made of. */
export interface Image {
  readonly file: string;
  readonly format: 'qcow2' | 'raw';
}

/** A qcow2 that takes the writes; the image below is only read. Both paths absolute, the format below explicit. */
export async function createOverlay(base: Image, file: string, signal: AbortSignal): Promise<ApplianceDisk> {
  const backing = ['-F', base.format, '-b', base.file];
  await runGuarded('qemu-img', ['create', '-q', '-f', 'qcow2', ...backing, file], { signal });
  return { file, format: 'qcow2' };
}
