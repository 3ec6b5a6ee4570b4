import { mkdir, mkdtemp, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { ConversionOptions, DiskInspection, InspectDisk, LuksKey, Machine } from '@hyper2kvm/contracts';
import { chooseEngine, type Engine, type EngineResult } from '../engines/index.js';
import { accelerator, openGuest, type ApplianceDisk, type GuestFacts } from '../guest/index.js';
import { removeEpoch } from '../overlay/index.js';
import { completeMachine } from '../targets/libvirt/index.js';
import type { ConverterSettings } from '../work.js';
import { overlayOver } from './image.js';
import { fitting } from './reply.js';

export interface DisksQuestion {
  readonly disks: readonly InspectDisk[];
  readonly machine: Machine;
  readonly options: ConversionOptions;
  readonly luksKeys: readonly LuksKey[];
}

type Settings = Pick<ConverterSettings, 'workDir' | 'applianceCacheDir' | 'virtioWin'>;

const FOLDER = 'inspection-';
/** None takes that long: what is older was left by a worker that was killed. */
const STALE_MS = 3_600_000;

/**
 * What is in the disks, and what a conversion would do: the conversion itself on throw-away overlays, without what takes
 * long. The disks are not changed, and nothing is left behind.
 * @throws JobError SOURCE_INVALID, GUEST_* and whatever else would stop a conversion
 */
export async function inspectDisks(
  { disks, machine, options, luksKeys }: DisksQuestion,
  settings: Settings,
  signal: AbortSignal,
): Promise<DiskInspection> {
  const started = performance.now();
  await mkdir(settings.workDir, { recursive: true });
  await clearStale(settings.workDir);
  const folder = await mkdtemp(path.join(settings.workDir, FOLDER));
  try {
    const overlays: ApplianceDisk[] = [];
    for (const [index, disk] of disks.entries()) {
      overlays.push(await overlayOver(disk, path.join(folder, `disk${index + 1}.overlay.qcow2`), signal));
    }
    const { workDir: _, ...rest } = settings;
    const found = await convertDry({ folder, overlays, machine, options, luksKeys, ...rest }, signal);
    return fitting({ ...found, seconds: Math.round((performance.now() - started) / 100) / 10 });
  } finally {
    await removeEpoch(folder);
  }
}

interface DryRun extends Omit<DisksQuestion, 'disks'>, Omit<Settings, 'workDir'> {
  readonly folder: string;
  readonly overlays: readonly ApplianceDisk[];
}

async function convertDry(input: DryRun, signal: AbortSignal): Promise<Omit<DiskInspection, 'seconds'>> {
  const { folder, overlays: disks, options, luksKeys, applianceCacheDir: cacheDir, virtioWin } = input;
  const common = { disks, folder, cacheDir, accelerator: await accelerator() };
  const { root, no_os: noOs = false } = options;
  const opened = await openGuest({ ...common, signal, root, noOs, luksKeys });
  try {
    const { guest } = opened;
    const engine = chooseEngine(guest, options.engine);
    const result = await engine.convert({
      ...common,
      ...opened,
      ...completeMachine(input.machine, 'inspection'),
      options,
      virtioWin,
      dryRun: true,
      work: { signal, log: () => {} },
      reporter: { step: (_name, action) => action(() => {}) },
    });
    return summary(guest, engine, { ...result, concerns: [...opened.concerns, ...result.concerns] });
  } finally {
    await opened.appliance.stop();
  }
}

const summary = (
  { type, product, distro, arch, root, fileSystems, mountpoints, init }: GuestFacts,
  engine: Engine,
  { kernels, changes, concerns }: EngineResult,
): Omit<DiskInspection, 'seconds'> => ({
  guest: {
    type,
    product,
    distro,
    arch,
    root,
    file_systems: fileSystems.map(({ device, type: kind, uuid, label }) => ({
      device,
      type: kind,
      ...(uuid === undefined ? {} : { uuid }),
      ...(label === undefined ? {} : { label }),
    })),
    mountpoints: mountpoints.map(({ path: place, device }) => ({ path: place, device })),
    kernels: [...kernels],
    init,
  },
  engine: engine.name,
  changes: [...changes],
  concerns: [...concerns],
});

async function clearStale(workDir: string): Promise<void> {
  for (const name of await readdir(workDir)) {
    if (!name.startsWith(FOLDER)) continue;
    const folder = path.join(workDir, name);
    const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (Date.now() - mtimeMs > STALE_MS) await removeEpoch(folder);
  }
}
