import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { hyperctlJson, type Vm } from '../site/index.js';

/** Starts a batch of these VMs; its id. @param flags of `convert` */
export async function startBatch(name: string, vms: readonly Vm[], ...flags: string[]): Promise<string> {
  const file = path.join(await folder(), 'vms.txt');
  await writeFile(file, vms.join('\n'));
  const args = ['convert', '--batch', file, '--batch-name', name, '--detach', ...flags];
  return (await hyperctlJson<{ batch_id: string }>(args)).batch_id;
}

/** A folder that is removed with the test. */
export async function folder(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'h2k-batches-'));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}
