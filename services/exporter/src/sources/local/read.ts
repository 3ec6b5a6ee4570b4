import type { DisksSource, OvaSource } from '@hyper2kvm/contracts';
import type { Looking } from './disk-file.js';
import { readDisks } from './disks.js';
import { assertDistinct, type LocalMachine } from './local-machine.js';
import { readOva } from './ova.js';

/** The machine of local files. @throws JobError SOURCE_INVALID, PATH_DENIED */
export async function readLocal(
  source: DisksSource | OvaSource,
  vmName: string | undefined,
  looking: Looking,
): Promise<LocalMachine> {
  const local =
    source.kind === 'ova' ? await readOva(source, vmName, looking) : await readDisks(source, vmName ?? 'vm', looking);
  assertDistinct(local.disks);
  return local;
}
