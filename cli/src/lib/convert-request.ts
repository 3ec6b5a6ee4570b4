import { ConvertRequest, type Lane, type LuksKey } from '@hyper2kvm/contracts';
import type { z } from 'zod';
import type { ConvertBody } from './client.js';
import { conversionOptions, type ConversionFlags } from './conversion-options.js';
import { UsageError } from './errors.js';
import { exportOptions, type ExportFlags } from './export-options.js';
import { given } from './given.js';
import type { ChosenSource } from './local-source.js';
import { scheduleOptions, type ScheduleFlags } from './schedule-options.js';
import type { Settings } from './settings.js';
import { vcenterRequest } from './vcenter.js';

export interface ConvertFlags extends ExportFlags, ConversionFlags, ScheduleFlags {
  readonly priority?: Lane | undefined;
  readonly 'verify-boot'?: boolean | undefined;
  readonly 'proof-timeout'?: number | undefined;
  readonly tags?: string | undefined;
}

/** Names of the request's fields as the user knows them. */
const FLAG_OF: Readonly<Record<string, string>> = {
  vm_name: '--vm or --name',
  server: '--vcenter',
  username: '--username',
  datacenter: '--datacenter',
  ca_pem: '--ca-file',
  thumbprint: '--thumbprint',
  disks: '--disk',
  path: '--ova or --disk',
  checksum: '--checksum',
  memory_bytes: '--memory',
  bandwidth_bytes_per_second: '--bandwidth',
  output_dir: '--output-dir',
  root: '--root',
  network_map: '--map-network',
  target: '--target',
  luks_keys: '--luks-key or HYPER2KVM_LUKS_KEY',
  notify_email: '--notify',
  tags: '--tags',
  proof_timeout_seconds: '--proof-timeout',
  priority: '--priority',
  not_before: '--at',
  window: '--window',
  callback_url: '--callback-url',
  slack_webhook: '--slack-webhook',
  before: '--hook-before',
  after: '--hook-after',
  max_parallel: '--parallel',
  stop_after_failures: '--stop-after',
  name: '--batch-name',
};

type JobOptionsBody = NonNullable<ConvertBody['options']>;

/** What is asked of a job; what nobody said is left to the gateway. @throws UsageError naming the flag that is wrong */
export function jobOptions(
  flags: ConvertFlags,
  settings: Pick<Settings, 'conversion' | 'notifyEmail' | 'slackWebhook'>,
  now = new Date(),
): JobOptionsBody {
  return {
    ...exportOptions(flags),
    ...given('priority', flags.priority),
    ...conversionOptions(flags, settings),
    ...given('verify_boot', flags['verify-boot']),
    ...given('proof_timeout_seconds', flags['proof-timeout']),
    ...given('notify_email', settings.notifyEmail),
    ...given('tags', flags.tags === undefined ? undefined : tagsOf(flags.tags)),
    ...given('slack_webhook', settings.slackWebhook),
    ...scheduleOptions(flags, now),
  };
}

/** `a, b` */
export const tagsOf = (text: string): string[] =>
  text
    .split(',')
    .map((tag) => tag.trim())
    .filter(Boolean);

/**
 * The body of POST /api/v1/convert and /api/v1/inspect, without a password; what nobody said is left to the gateway.
 * @param command for the advice
 * @throws UsageError naming the flag that is wrong
 */
export function convertBody(
  { vmName, source }: ChosenSource,
  flags: ConvertFlags,
  settings: Settings,
  keys: readonly LuksKey[] = [],
  command: 'convert' | 'export' | 'inspect' = 'convert',
): ConvertBody {
  const body = {
    vm_name: vmName,
    vcenter: source === undefined ? vcenterRequest(settings.vcenter) : {},
    ...given('source', source),
    options: jobOptions(flags, settings),
    ...(keys.length === 0 ? {} : { luks_keys: [...keys] }),
  };
  const parsed = ConvertRequest.safeParse(body);
  if (parsed.success) return body;
  throw new UsageError(flagProblems(parsed.error), `hyperctl ${command} --help`);
}

/** What is wrong with a request, by the flags that said it. */
export function flagProblems(error: z.ZodError): string {
  const problems = error.issues.map((issue) => {
    const field = issue.path.findLast((key) => typeof key === 'string' && key in FLAG_OF);
    const what = issue.code === 'invalid_union' ? (issue.errors[0]?.[0]?.message ?? issue.message) : issue.message;
    return `${field === undefined ? issue.path.join('.') : FLAG_OF[String(field)]}: ${what}`;
  });
  return problems.join('; ');
}
