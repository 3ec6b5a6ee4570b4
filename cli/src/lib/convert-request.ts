import { readFileSync } from 'node:fs';
import { ConvertRequest, type Lane } from '@hyper2kvm/contracts';
import type { ConvertBody } from './client.js';
import { UsageError } from './errors.js';
import type { Settings } from './settings.js';

export interface ConvertFlags {
  readonly vm: string;
  readonly priority?: Lane | undefined;
  readonly 'to-libvirt'?: boolean | undefined;
  readonly 'verify-boot'?: boolean | undefined;
  readonly 'proof-timeout'?: number | undefined;
  readonly tags?: string | undefined;
}

/** Names of the request's fields as the user knows them. */
const FLAG_OF: Readonly<Record<string, string>> = {
  vm_name: '--vm',
  output_dir: '--output-dir',
  notify_email: '--notify',
  tags: '--tags',
  proof_timeout_seconds: '--proof-timeout',
  priority: '--priority',
};

const given = <Value>(key: string, value: Value | undefined): Record<string, Value> =>
  value === undefined ? {} : { [key]: value };

/**
 * The body of POST /api/v1/convert; what nobody said is left to the gateway.
 * @throws UsageError naming the flag that is wrong
 */
export function convertBody(flags: ConvertFlags, settings: Settings, password: string | undefined): ConvertBody {
  const { vcenter, conversion } = settings;
  const body = {
    vm_name: flags.vm,
    vcenter: {
      ...given('server', vcenter.server),
      ...given('username', vcenter.username),
      ...given('password', password),
      ...given('datacenter', vcenter.datacenter),
      ...given('ca_pem', vcenter.caFile === undefined ? undefined : readCa(vcenter.caFile)),
      ...given('thumbprint', vcenter.thumbprint),
      ...given('insecure', vcenter.insecure),
    },
    options: {
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

function readCa(file: string): string {
  try {
    const pem = readFileSync(file, 'utf8');
    if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
  } catch (error) {
    throw new UsageError(`--ca-file: ${(error as Error).message}`);
  }
  throw new UsageError(`--ca-file: ${file} holds no certificate in PEM format`);
}
