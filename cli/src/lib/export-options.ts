import { Flags } from '@oclif/core';
import { SourcePower, TransportChoice } from '@hyper2kvm/contracts';
import { CliError } from './errors.js';
import { given } from './given.js';
import { askYes } from './prompt.js';
import { parseRate } from './units.js';

/** How the disks come. */
export const EXPORT_FLAGS = {
  transport: Flags.option({ options: TransportChoice.options })({
    helpGroup: 'EXPORT',
    description:
      "How disks are read: vCenter's export stream, ranges of the datastore's file, or what suits [default].",
  }),
  bandwidth: Flags.string({
    helpGroup: 'EXPORT',
    description: 'Most bytes a second of all disks together: 200M, 1.5G, 500Ki. "hyperctl bandwidth" changes it.',
  }),
  'source-power': Flags.option({ options: SourcePower.options })({
    helpGroup: 'EXPORT',
    description:
      'What happens to the source first: nothing [default; later writes are lost], the guest is shut down, or it is switched off.',
  }),
  yes: Flags.boolean({ char: 'y', helpGroup: 'EXPORT', description: 'Do not ask before the source is stopped.' }),
};

export interface ExportFlags {
  readonly transport?: TransportChoice | undefined;
  readonly bandwidth?: string | undefined;
  readonly 'source-power'?: SourcePower | undefined;
}

/** The part of the request's options. @throws UsageError about --bandwidth */
export const exportOptions = (
  flags: ExportFlags,
): { transport?: TransportChoice; source_power?: SourcePower; bandwidth_bytes_per_second?: number } => ({
  ...given('transport', flags.transport),
  ...given('source_power', flags['source-power']),
  ...given(
    'bandwidth_bytes_per_second',
    flags.bandwidth === undefined ? undefined : parseRate(flags.bandwidth, '--bandwidth'),
  ),
});

/**
 * Asks on a terminal before a running VM is stopped; scripts have said it by the flag.
 * @throws CliError when the answer is no
 */
export async function confirmPower(vm: string, power: SourcePower | undefined, yes: boolean): Promise<void> {
  if (power === undefined || power === 'keep' || yes || !process.stdin.isTTY || !process.stderr.isTTY) return;
  const what = power === 'shutdown' ? `${vm} will be shut down` : `${vm} will be switched off without a shutdown`;
  if (await askYes(`${what} before the disks are read. The source stays off. Go on? [y/N] `)) return;
  throw new CliError('not confirmed: nothing was done', { code: 'NOT_CONFIRMED', advice: '--yes does not ask' });
}
