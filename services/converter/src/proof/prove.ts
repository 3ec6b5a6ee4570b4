import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { JobError, type LuksKey } from '@hyper2kvm/contracts';
import type { Accelerator, ApplianceDisk, GuestFacts } from '../guest/index.js';
import { countProof } from '../metrics.js';
import { createOverlay } from '../overlay/index.js';
import type { PinnedNic } from '../steps/index.js';
import type { DomainPlan } from '../targets/libvirt/index.js';
import type { WorkPort } from '../work.js';
import { boot, type BootOutcome } from './boot.js';
import { injectAgent } from './inject.js';
import { NVRAM, PORT_LOG, qemuArgs, SERIAL_SOCKET, TPM_SOCKET } from './qemu.js';
import { addressLines, faultOf, type GuestReport } from './report.js';
import { lastLines } from './serial.js';
import { startTpm, TPM_STATE } from './tpm.js';

export interface ProofInput {
  /** The converted overlays: only read. */
  readonly disks: readonly ApplianceDisk[];
  readonly plan: DomainPlan;
  readonly guest: GuestFacts;
  /** Typed at the guest's question for a passphrase. */
  readonly luksKeys: readonly LuksKey[];
  readonly pinned: readonly PinnedNic[];
  /** The epoch's folder. */
  readonly folder: string;
  /** Where the evidence of a failure is kept. */
  readonly evidenceOfFailure: string;
  readonly memoryBytes: number;
  readonly timeoutMs: number;
  readonly cacheDir: string;
  readonly accelerator: Accelerator;
  readonly work: WorkPort;
}

export interface Proof {
  readonly report: GuestReport;
  readonly seconds: number;
  readonly addresses: readonly string[];
  /** Absolute folder with serial.log, proof.json and screen.png. */
  readonly evidence: string;
  readonly screenshot: boolean;
}

/**
 * Boots the converted guest on the domain's own devices, from overlays that are thrown away, until it reports from
 * inside.
 * @throws JobError PROOF_FAILED with the last lines of the serial console and the folder of the evidence
 */
export async function proveBoot(input: ProofInput): Promise<Proof> {
  const { folder, plan, work } = input;
  const scratch = path.join(folder, 'proof');
  const evidence = path.join(folder, 'evidence');
  await mkdir(scratch);
  const overlays: ApplianceDisk[] = [];
  for (const [index, { file, format }] of input.disks.entries()) {
    overlays.push(await createOverlay({ file, format }, path.join(scratch, `disk${index + 1}.qcow2`), work.signal));
  }
  await injectAgent(input.guest, {
    disks: overlays,
    folder: scratch,
    cacheDir: input.cacheDir,
    accelerator: input.accelerator,
    signal: work.signal,
    luksKeys: input.luksKeys,
  });
  await mkdir(evidence);
  if (plan.firmware.kind === 'efi') await copyFile(plan.firmware.vars_template, path.join(evidence, NVRAM));
  const files = overlays.map(({ file }) => file);
  const outcome = await bootWithTpm(input, files, evidence);
  await rm(scratch, { recursive: true });
  const leftovers = [NVRAM, PORT_LOG, SERIAL_SOCKET, TPM_SOCKET, TPM_STATE];
  await Promise.all(leftovers.map((name) => rm(path.join(evidence, name), { recursive: true, force: true })));
  return judge(outcome, evidence, input);
}

/** The domain's TPM is there too: a guest may wait for it. */
async function bootWithTpm(input: ProofInput, overlays: readonly string[], evidence: string): Promise<BootOutcome> {
  const { plan, work, luksKeys, timeoutMs, memoryBytes } = input;
  const tpm = plan.tpm ? await startTpm(evidence, work.signal) : undefined;
  const without = plan.tpm && tpm === undefined ? ' but for its TPM, as no swtpm is installed here' : '';
  try {
    const args = qemuArgs(plan, overlays, memoryBytes, tpm !== undefined);
    work.log('info', `Boot proof: starting the guest on ${plan.machine} with the domain's devices${without}`, {
      step: 'proof',
    });
    return await boot(args, evidence, { timeoutMs, signal: work.signal, luksKeys });
  } finally {
    await tpm?.kill();
  }
}

async function judge(outcome: BootOutcome, evidence: string, input: ProofInput): Promise<Proof> {
  const { report, seconds, screenshot } = outcome;
  const fault = outcome.fault ?? (report === undefined ? 'no report' : faultOf(report, input.pinned));
  const result = { booted: fault === undefined, fault, seconds, report };
  await writeFile(path.join(evidence, 'proof.json'), `${JSON.stringify(result, undefined, 2)}\n`);
  countProof(result.booted);
  if (fault !== undefined || report === undefined) return fail(fault ?? '', outcome, evidence, input);
  const addresses = addressLines(report);
  const { work } = input;
  work.log('info', `The guest reports from inside after ${seconds} s: ${report.hostname}, kernel ${report.kernel}`, {
    step: 'proof',
  });
  for (const line of addresses) work.log('info', `Address in the proof's network: ${line}`, { step: 'proof' });
  for (const unit of report.failed_units) work.log('warn', `Failed unit in the guest: ${unit}`, { step: 'proof' });
  return { report, seconds, addresses, evidence, screenshot };
}

async function fail(fault: string, outcome: BootOutcome, evidence: string, input: ProofInput): Promise<never> {
  const kept = input.evidenceOfFailure;
  await rm(kept, { recursive: true, force: true });
  await rename(evidence, kept);
  const last = lastLines(outcome.serial, 5);
  const said =
    last.length === 0 ? 'Nothing came over the serial console.' : `Last on the serial console:\n${last.join('\n')}`;
  throw new JobError('PROOF_FAILED', `${fault} (after ${outcome.seconds} s). ${said}\nEvidence: ${kept}`, {
    step: 'proof',
  });
}
