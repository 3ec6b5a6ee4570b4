/** A guest moved as a job moves it, without NATS: exported from a simulated vCenter, converted, proven to boot. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LuksKey, ConversionOptions } from '@hyper2kvm/contracts';
import { convert, type Converted, type ConverterSettings, type Manifest, type WorkPort } from '@hyper2kvm/converter';
import { exportVm } from '@hyper2kvm/exporter';
import { expect } from 'vitest';
import { endpointOf, recordingPorts, settingsFor } from '../integration/export-setup.js';
import { ensureGuest, type Guest } from '../support/guest/guest.js';
import { STATIC_ADDRESSES } from '../support/guest/recipe.js';
import type { GuestName } from '../support/guest/recipes/index.js';
import { MACS, staticVm } from '../support/guest/vm.js';
import { startVcsim, type VcsimVm } from '../support/vcsim.js';

/** An export, an appliance or two, a boot: minutes without KVM, more on a machine that is busy. */
export const LIMIT_MS = 30 * 60_000;

const REQUESTED_AT = '2026-01-17T10:00:00Z';

export interface Moved {
  readonly guest: Guest;
  readonly converted: Converted;
  readonly manifest: Manifest;
  /** What the guest said from inside. */
  readonly report: ProofReport;
  /** The conversion's log. */
  readonly log: readonly string[];
}

interface ProofReport {
  readonly state: string;
  readonly kernel: string;
  readonly failed_units: readonly string[];
  readonly nics: readonly { readonly name: string; readonly mac: string; readonly addresses: readonly string[] }[];
}

interface MoveOptions {
  readonly vm?: Partial<VcsimVm>;
  readonly luksKeys?: readonly LuksKey[];
  readonly conversion?: Partial<ConversionOptions>;
}

/** Runs `use` on the moved guest; everything is gone afterwards. A failure has the log of the conversion. */
export async function withMovedGuest(
  name: GuestName,
  options: MoveOptions,
  use: (moved: Moved) => Promise<void>,
): Promise<void> {
  const guest = await ensureGuest(name);
  const root = await mkdtemp(path.join(tmpdir(), `h2k-${name}-`));
  try {
    const artifactDir = await exported(guest, root, options.vm ?? {});
    await use(await convertedFrom(guest, artifactDir, root, options));
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function exported(guest: Guest, root: string, change: Partial<VcsimVm>): Promise<string> {
  const vcsim = await startVcsim({ vms: [staticVm(guest, change)] });
  try {
    const { artifactDir } = await exportVm(
      { jobId: jobOf(guest), attempt: 1, epoch: 1, vmName: guest.name, endpoint: endpointOf(vcsim), options: {} },
      settingsFor(path.join(root, 'export')),
      recordingPorts().ports,
    );
    return artifactDir;
  } finally {
    await vcsim.stop();
  }
}

const jobOf = ({ name }: Guest): string => `job-${name.replaceAll('-', '')}`;

async function convertedFrom(guest: Guest, artifactDir: string, root: string, options: MoveOptions): Promise<Moved> {
  const settings: ConverterSettings = {
    workDir: path.join(root, 'work'),
    outputDir: path.join(root, 'output'),
    allowedOutputRoots: [],
    proofMemoryBytes: 1024 ** 3,
    libvirtUri: 'qemu:///system',
    network: { type: 'network', name: 'default' },
    keepArtifact: false,
    applianceCacheDir: '/var/tmp',
  };
  const log: string[] = [];
  const work: WorkPort = {
    jobId: jobOf(guest),
    attempt: 1,
    epoch: 1,
    signal: new AbortController().signal,
    assertOwner: async () => {},
    progress: () => {},
    log: (_, message) => void log.push(message),
  };
  const request = {
    vm_name: guest.name,
    artifact_dir: artifactDir,
    requested_at: REQUESTED_AT,
    luksKeys: options.luksKeys ?? [],
    options: {
      fix_fstab: true,
      fix_grub: true,
      fix_network: true,
      to_libvirt: false,
      verify_boot: true,
      proof_timeout_seconds: 900,
      ...options.conversion,
    },
  };
  const converted = await convert(request, settings, work).catch((error: unknown) => {
    throw new Error(`${guest.name} was not converted; its log:\n${log.join('\n')}`, { cause: error });
  });
  const manifest = JSON.parse(await readFile(converted.manifest, 'utf8')) as Manifest;
  const proof = await readFile(path.join(converted.output_dir, 'evidence', 'proof.json'), 'utf8');
  return { guest, converted, manifest, report: (JSON.parse(proof) as { report: ProofReport }).report, log };
}

/** What holds for every guest: it runs, each static address is on the card that had it, and every disk came along. */
export function expectWhole({ guest, converted, manifest, report }: Moved): void {
  expect(report).toMatchObject({ state: 'running', failed_units: [] });
  for (const name of ['ens192', 'ens224'] as const) {
    const nic = report.nics.find((each) => each.name === name);
    expect(nic, `NICs: ${JSON.stringify(report.nics)}`).toBeDefined();
    expect(nic?.mac).toBe(MACS[name]);
    expect(nic?.addresses).toContain(STATIC_ADDRESSES[name]);
  }
  expect(converted.disks.map(({ capacity_bytes: bytes }) => bytes)).toEqual(
    guest.disks.map(({ capacityBytes }) => capacityBytes),
  );
  for (const { file } of converted.disks) execFileSync('qemu-img', ['check', '-q', '-f', 'qcow2', file]);
  execFileSync('virt-xml-validate', [converted.domain_xml, 'domain']);
  expect(manifest.disks).toHaveLength(guest.disks.length);
  expect(manifest.domain.nics.map(({ mac }) => mac).toSorted()).toEqual(Object.values(MACS).toSorted());
}
