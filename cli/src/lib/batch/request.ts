import { BatchRequest, type LuksKey, type VcenterRequest } from '@hyper2kvm/contracts';
import type { BatchBody } from '../batches-api.js';
import { flagProblems, jobOptions, type ConvertFlags } from '../convert-request.js';
import { UsageError } from '../errors.js';
import { given } from '../given.js';
import { settings, type FlagValues, type Settings } from '../settings.js';
import { vcenterRequest } from '../vcenter.js';

export interface BatchFlags extends ConvertFlags, FlagValues {
  readonly parallel?: number | undefined;
  readonly 'stop-after'?: number | undefined;
  readonly 'batch-name'?: string | undefined;
}

export interface BatchAsked {
  /** What the file says. */
  readonly plan: BatchBody;
  readonly flags: BatchFlags;
  /** Of environment and configuration file. */
  readonly own: Settings;
  readonly keys: readonly LuksKey[];
  /** False: the jobs rest when their disks are there. */
  readonly convert: boolean;
}

/**
 * The body of POST /api/v1/batches, without a password. Flags win over the plan, the plan over environment and configuration.
 * @throws UsageError naming the flag that is wrong
 */
export function batchBody({ plan, flags, own, keys, convert }: BatchAsked): BatchBody {
  const said = settings(flags);
  const { callback_url: callback, ...asked } = jobOptions(flags, {
    conversion: said.conversion,
    notifyEmail: undefined,
    slackWebhook: undefined,
  });
  const options = plan.options ?? {};
  const hooks = { ...options.hooks, ...asked.hooks };
  const body: BatchBody = {
    ...plan,
    ...given('name', flags['batch-name'] ?? plan.name),
    vcenter: overlay(overlay(vcenterRequest(own.vcenter), plan.vcenter ?? {}), vcenterRequest(said.vcenter)),
    options: {
      ...jobOptions({}, { conversion: own.conversion, notifyEmail: undefined, slackWebhook: undefined }),
      ...options,
      ...asked,
      ...(Object.keys(hooks).length === 0 ? {} : { hooks }),
      ...(convert ? {} : { auto_convert: false }),
    },
    ...given('max_parallel', flags.parallel ?? plan.max_parallel),
    ...given('stop_after_failures', flags['stop-after'] ?? plan.stop_after_failures),
    // One mail, message and call for all of it; of single VMs where the plan says so in its options.
    ...given('notify_email', said.notifyEmail ?? plan.notify_email ?? own.notifyEmail),
    ...given('callback_url', callback ?? plan.callback_url),
    ...given('slack_webhook', said.slackWebhook ?? plan.slack_webhook ?? own.slackWebhook),
    ...(keys.length === 0 ? {} : withKeys(plan, keys)),
  };
  const parsed = BatchRequest.safeParse(body);
  if (parsed.success) return body;
  throw new UsageError(flagProblems(parsed.error), 'hyperctl convert --help');
}

/** A login belongs to its server: nothing of one is taken over to another. */
function overlay(below: VcenterRequest, above: VcenterRequest): VcenterRequest {
  const other = above.server !== undefined && below.server !== undefined && above.server !== below.server;
  return other ? above : { ...below, ...above };
}

type Vm = NonNullable<BatchBody['vms']>[number];

/** The keys go with every VM that has none of its own. */
function withKeys(plan: BatchBody, keys: readonly LuksKey[]): Pick<BatchBody, 'vms' | 'waves'> {
  const keyed = (vm: Vm): Vm =>
    typeof vm === 'string' ? { vm_name: vm, luks_keys: [...keys] } : { luks_keys: [...keys], ...vm };
  return {
    ...given('vms', plan.vms?.map(keyed)),
    ...given(
      'waves',
      plan.waves?.map((wave) => ({ ...wave, vms: wave.vms.map(keyed) })),
    ),
  };
}

/** All VMs of a plan. */
export const vmsOf = (plan: BatchBody): readonly Vm[] => plan.vms ?? (plan.waves ?? []).flatMap(({ vms }) => vms);

/** True where a VM is looked for at the plan's vCenter. */
export const needsVcenter = (plan: BatchBody): boolean =>
  vmsOf(plan).some((vm) => typeof vm === 'string' || vm.source === undefined);
