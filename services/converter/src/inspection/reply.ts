import type { DiskInspection } from '@hyper2kvm/contracts';

/** An answer on NATS has at most 1 MiB; a hostile guest's files may make far more of diffs, names and sentences. */
const DIFF_CHARACTERS = 150_000;
const LINE_CHARACTERS = 400;
const ENTRIES = 200;

/** The inspection, cut where it is too long for an answer; what was left out is said. */
export function fitting(inspection: DiskInspection): DiskInspection {
  const { guest, changes, concerns } = inspection;
  let left = DIFF_CHARACTERS;
  const kept = changes.slice(0, ENTRIES).map(({ diff, ...change }) => {
    const shown = { ...change, file: cut(change.file), summary: cut(change.summary) };
    if (diff === undefined) return shown;
    left -= diff.length;
    return left < 0 ? { ...shown, summary: `${shown.summary} (its diff is too long to be shown)` } : { ...shown, diff };
  });
  const more = changes.length - kept.length;
  if (more > 0) kept.push({ step: 'inspect', file: '', summary: `${more} more changes, too many to be shown` });
  return {
    ...inspection,
    guest: {
      ...guest,
      file_systems: guest.file_systems.slice(0, ENTRIES),
      mountpoints: guest.mountpoints.slice(0, ENTRIES),
      kernels: guest.kernels.slice(0, ENTRIES),
    },
    changes: kept,
    concerns: concerns.slice(0, ENTRIES).map((each) => ({ ...each, message: cut(each.message) })),
  };
}

const cut = (text: string): string => (text.length > LINE_CHARACTERS ? `${text.slice(0, LINE_CHARACTERS)}…` : text);
