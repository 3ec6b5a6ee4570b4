import { Flags } from '@oclif/core';
import {
  EngineChoice,
  RetryRequest,
  type ConversionChanges,
  type ConvertRequest,
  type LuksKey,
} from '@hyper2kvm/contracts';
import type { z } from 'zod';
import { UsageError } from './errors.js';
import { given } from './given.js';
import type { Settings } from './settings.js';

/** What is done with the guest, and where it goes. */
export const CONVERSION_FLAGS = {
  'skip-network-fix': Flags.boolean({
    helpGroup: 'GUEST',
    exclusive: ['fix-network'],
    description: 'Leave the network configuration alone.',
  }),
  'fix-network': Flags.boolean({
    helpGroup: 'GUEST',
    allowNo: true,
    description: 'Fix the network configuration [default].',
  }),
  'fix-fstab': Flags.boolean({ helpGroup: 'GUEST', allowNo: true, description: 'Fix /etc/fstab [default].' }),
  'fix-grub': Flags.boolean({ helpGroup: 'GUEST', allowNo: true, description: 'Fix the bootloader [default].' }),
  engine: Flags.option({ options: EngineChoice.options })({
    helpGroup: 'GUEST',
    description: 'Who converts: our own steps (Linux), virt-v2v (Windows), or what suits the guest [default].',
  }),
  root: Flags.string({
    helpGroup: 'GUEST',
    exclusive: ['no-os'],
    description: 'Root device of the system to convert where there are several, for example /dev/sda2.',
  }),
  'no-os': Flags.boolean({ helpGroup: 'GUEST', description: 'The VM holds data only: change nothing in it.' }),
  'luks-key': Flags.string({
    helpGroup: 'GUEST',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: '[UUID-or-device=]FILE',
    description: 'File with a key or passphrase of LUKS volumes; one passphrase may be in HYPER2KVM_LUKS_KEY.',
  }),
  'keep-vmware-tools': Flags.boolean({ helpGroup: 'GUEST', description: "Leave VMware's tools in the guest." }),
  'serial-console': Flags.boolean({
    helpGroup: 'GUEST',
    description: 'Have kernels write to the first serial port too (console=ttyS0).',
  }),
  'output-dir': Flags.string({
    helpGroup: 'RESULT',
    description: 'Folder for the result, on the converting machine.',
  }),
  'output-format': Flags.option({ options: ['qcow2', 'raw'] as const })({
    helpGroup: 'RESULT',
    description: 'Format of the images [default: qcow2].',
  }),
  compress: Flags.option({ options: ['zstd'] as const })({
    helpGroup: 'RESULT',
    description: 'Compress the clusters of qcow2 images.',
  }),
  'map-network': Flags.string({
    helpGroup: 'RESULT',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: '"VM Network=br0"',
    description: "Bridge (br0), or libvirt's network (network:default), for NICs of a network of the source.",
  }),
  'to-libvirt': Flags.boolean({ helpGroup: 'RESULT', description: 'Define the VM in libvirt at the end.' }),
  target: Flags.string({
    helpGroup: 'RESULT',
    description: "libvirt host of the gateway's configuration on which the VM is defined.",
  }),
  start: Flags.boolean({ helpGroup: 'RESULT', description: 'Start it there; needs --to-libvirt or --target.' }),
};

/** What those flags said. */
export interface ConversionFlags {
  readonly engine?: EngineChoice | undefined;
  readonly root?: string | undefined;
  readonly 'no-os'?: boolean | undefined;
  readonly 'keep-vmware-tools'?: boolean | undefined;
  readonly 'serial-console'?: boolean | undefined;
  readonly 'output-format'?: 'qcow2' | 'raw' | undefined;
  readonly compress?: 'zstd' | undefined;
  readonly 'map-network'?: readonly string[] | undefined;
  readonly 'to-libvirt'?: boolean | undefined;
  readonly target?: string | undefined;
  readonly start?: boolean | undefined;
}

type Options = NonNullable<z.input<typeof ConvertRequest>['options']>;

/** The part of the request's options. @throws UsageError naming the flag */
export function conversionOptions(flags: ConversionFlags, { conversion }: Pick<Settings, 'conversion'>): Options {
  if (flags.start === true && flags['to-libvirt'] !== true && flags.target === undefined)
    throw new UsageError('--start needs a libvirt', 'give --to-libvirt or --target NAME too');
  if (flags.compress !== undefined && flags['output-format'] === 'raw')
    throw new UsageError('--compress is for qcow2 images', 'leave one of --compress and --output-format raw out');
  return changes(flags, conversion);
}

/** What was said of the conversion. */
function changes(flags: ConversionFlags, conversion: Settings['conversion']): ConversionChanges {
  return {
    ...given('fix_network', conversion.fixNetwork),
    ...given('fix_fstab', conversion.fixFstab),
    ...given('fix_grub', conversion.fixGrub),
    ...given('output_dir', conversion.outputDir),
    ...given('engine', flags.engine),
    ...given('root', flags.root),
    ...given('no_os', flags['no-os']),
    ...given('keep_vmware_tools', flags['keep-vmware-tools']),
    ...given('serial_console', flags['serial-console']),
    ...given('output_format', flags['output-format']),
    ...given('compress', flags.compress),
    ...given('network_map', flags['map-network']?.map(networkRule)),
    ...given('to_libvirt', flags['to-libvirt']),
    ...given('target', flags.target),
    ...given('start', flags.start),
  };
}

export interface RetryFlags extends ConversionFlags {
  readonly 'skip-network-fix'?: boolean | undefined;
  readonly 'fix-network'?: boolean | undefined;
  readonly 'fix-fstab'?: boolean | undefined;
  readonly 'fix-grub'?: boolean | undefined;
  readonly 'output-dir'?: string | undefined;
  readonly 'verify-boot'?: boolean | undefined;
  readonly 'proof-timeout'?: number | undefined;
}

/** The body of a retry: only what was said now, nothing of the user's configuration. @throws UsageError naming the flag */
export function retryBody(flags: RetryFlags, keys: readonly LuksKey[]): z.input<typeof RetryRequest> {
  const conversion = {
    fixNetwork: flags['skip-network-fix'] === true ? false : flags['fix-network'],
    fixFstab: flags['fix-fstab'],
    fixGrub: flags['fix-grub'],
    outputDir: flags['output-dir'],
  };
  const body = {
    options: {
      ...changes({ ...flags, start: undefined }, conversion),
      ...given('start', flags.start),
      ...given('verify_boot', flags['verify-boot']),
      ...given('proof_timeout_seconds', flags['proof-timeout']),
    },
    ...(keys.length === 0 ? {} : { luks_keys: [...keys] }),
  };
  const parsed = RetryRequest.safeParse(body);
  if (parsed.success) return body;
  throw new UsageError(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
}

/** `VM Network=br0`. Names of the source may hold a `=`, those of libvirt's side do not. */
function networkRule(text: string): { from: string; to: string } {
  const at = text.lastIndexOf('=');
  if (at <= 0 || at === text.length - 1)
    throw new UsageError(`--map-network: "${text}" maps nothing`, '--map-network "VM Network=br0"');
  return { from: text.slice(0, at), to: text.slice(at + 1) };
}
