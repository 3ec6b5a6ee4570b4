import { deviceResolver } from '../devices.js';
import { FSTAB, planFstab } from '../fstab/index.js';
import type { StepContext } from '../step.js';

/** The file systems that the guest mounts are there under the names that it uses. */
export async function checkFstab({ appliance, guest, options }: StepContext): Promise<string[]> {
  const text = options.fix_fstab ? await appliance.readText(FSTAB) : undefined;
  if (text === undefined) return [];
  const again = planFstab(text, deviceResolver(guest));
  const wrong = [
    ...again.edits.map(({ from }) => from),
    ...again.unresolved.filter((each) => each.required).map(({ spec }) => spec),
  ];
  const there = new Set(guest.fileSystems.map(({ uuid }) => uuid?.toLowerCase()));
  const unknown = rootByUuid(text).filter((uuid) => !there.has(uuid.toLowerCase()));
  return [
    ...wrong.map((spec) => `${FSTAB} still names ${spec}`),
    ...unknown.map((uuid) => `${FSTAB} wants / on UUID=${uuid}, which no file system of this VM has`),
  ];
}

/** UUIDs of the entry for the root. */
const rootByUuid = (fstab: string): string[] =>
  [...fstab.matchAll(/^[ \t]*UUID=["']?([^\s"']+)["']?[ \t]+\/[ \t]/gm)].map((match) => match[1] ?? '');
