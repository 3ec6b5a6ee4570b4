import { ConvertRequest, type Lane } from '@hyper2kvm/contracts';
import type { ConvertBody } from './client.js';
import { UsageError } from './errors.js';
import { exportOptions, type ExportFlags } from './export-options.js';
import { given } from './given.js';
import type { ChosenSource } from './local-source.js';
import type { Settings } from './settings.js';
import { vcenterRequest } from './vcenter.js';

export interface ConvertFlags extends ExportFlags {
  readonly priority?: Lane | undefined;
  readonly 'to-libvirt'?: boolean | undefined;
  readonly 'verify-boot'?: boolean | undefined;
  readonly 'proof-timeout'?: number | undefined;
  readonly tags?: string | undefined;
}

/** Names of the request's fields as the user knows them. */
const FLAG_OF: Readonly<Record<string, string>> = {
  vm_name: '--vm or --name',
  disks: '--disk',
  path: '--ova or --disk',
  checksum: '--checksum',
  memory_bytes: '--memory',
  bandwidth_bytes_per_second: '--bandwidth',
  output_dir: '--output-dir',
  notify_email: '--notify',
  tags: '--tags',
  proof_timeout_seconds: '--proof-timeout',
  priority: '--priority',
};

/**
 * The body of POST /api/v1/convert, without a password; what nobody said is left to the gateway.
 * @throws UsageError naming the flag that is wrong
 */
export function convertBody({ vmName, source }: ChosenSource, flags: ConvertFlags, settings: Settings): ConvertBody {
  const { conversion } = settings;
  const body = {
    vm_name: vmName,
    vcenter: source === undefined ? vcenterRequest(settings.vcenter) : {},
    ...given('source', source),
    options: {
      ...exportOptions(flags),
      ...given('priority', flags.priority),
      ...given('fix_network', conversion.fixNetwork),
      ...given('fix_fstab', conversion.fixFstab),
      ...given('fix_grub', conversion.fixGrub),
      ...given('output_dir', conversion.outputDir),
      ...given('to_libvirt', flags['to-libvirt']),
      ...given('verify_boot', flags['verify-boot']),
      ...given('proof_timeout_seconds', flags['proof-timeout']),
      ...given('notify_email', settings.notifyEmail),
      ...given(
        'tags',
        flags.tags === undefined
          ? undefined
          : flags.tags
              .split(',')
              .map((tag) => tag.trim())
              .filter(Boolean),
      ),
    },
  };
  const parsed = ConvertRequest.safeParse(body);
  if (parsed.success) return body;
  const problems = parsed.error.issues.map((issue) => {
    const field = issue.path.findLast((key) => typeof key === 'string' && key in FLAG_OF);
    return `${field === undefined ? issue.path.join('.') : FLAG_OF[String(field)]}: ${issue.message}`;
  });
  throw new UsageError(problems.join('; '), 'hyperctl convert --help');
}
