import { JobError } from '@hyper2kvm/contracts';
import type { Appliance } from '../appliance.js';
import type { PlannedMount } from './plan.js';

/** Mounts what was planned. What is not required and cannot be mounted is left out: those are returned. */
export async function mountAll(appliance: Appliance, mounts: readonly PlannedMount[]): Promise<PlannedMount[]> {
  const failed: PlannedMount[] = [];
  for (const each of mounts) {
    if (each.required) await mountRequired(appliance, each);
    else if (!(await mountOptional(appliance, each))) failed.push(each);
  }
  return failed;
}

async function mountRequired(appliance: Appliance, { path, device, options }: PlannedMount): Promise<void> {
  if (path !== '/' && !(await appliance.isDir(path))) await appliance.call(['mkdir-p', path]);
  try {
    await appliance.call(['mount-options', options, device, await placeOf(appliance, path)]);
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new JobError('GUEST_CORRUPT', `${path} (${device}) of the guest cannot be mounted: ${why}`, {
      cause: error,
    });
  }
}

async function mountOptional(appliance: Appliance, { path, device, options }: PlannedMount): Promise<boolean> {
  if (!(await appliance.isDir(path))) return false;
  const place = await placeOf(appliance, path);
  await appliance.attempt(['mount-options', options, device, place]);
  return (await appliance.lines(['mountpoints'])).some((line) => line.endsWith(`: ${place}`));
}

/** Where a path leads within the guest: mounting follows links from the appliance's root instead. */
async function placeOf(appliance: Appliance, path: string): Promise<string> {
  if (path === '/') return path;
  const place = (await appliance.attempt(['realpath', path])).replace(/\n$/, '');
  return place.startsWith('/') && place !== '/' ? place : path;
}
