import type { Health } from '@hyper2kvm/contracts';
import type { GatewayClient } from './client.js';
import { GatewayUnreachable } from './errors.js';
import { causeOf } from './unreachable.js';

export interface PreflightOptions {
  /** Anew each time: a local stack that was started has an address of its own. */
  readonly client: () => GatewayClient;
  /** The gateway as it was named; undefined: nobody named one. */
  readonly url: string | undefined;
  /** Whether what is stopped may be started. */
  readonly autostart: boolean;
  readonly what: 'convert' | 'export';
  /** To standard error: what is being started. */
  readonly say: (text: string) => void;
  readonly warn: (text: string) => void;
}

/** A service that a migration needs, and is not there. */
export type Missing = 'gateway' | 'exporter' | 'converter';

/**
 * Looks whether gateway, exporter and converter are there before anything is asked of them. One that is stopped on this machine,
 * where it is installed, is started. One question when all are there.
 * @returns the gateway to ask
 * @throws GatewayUnreachable; CliError where a start failed
 */
export async function preflight(options: PreflightOptions): Promise<GatewayClient> {
  const client = options.client();
  const found = await look(client);
  const missing = missingOf(found, options.what);
  if (missing.length === 0) return client;
  if (!options.autostart) return told(found, missing, client, options);
  // Loaded only now: a command for a fleet that is up needs none of it.
  const { startMissing } = await import('../daemon/autostart.js');
  const { started, why } = await startMissing(missing, { url: options.url, say: options.say });
  if (!started) return told(withAdvice(found, why), missing, client, options, why);
  const again = options.client();
  const now = await look(again);
  return told(now, missingOf(now, options.what), again, options);
}

type Look = Health | GatewayUnreachable | undefined;

/** Undefined: somebody answers, but not this question; the request itself will tell. */
async function look(client: GatewayClient): Promise<Look> {
  try {
    return await client.health();
  } catch (error) {
    return error instanceof GatewayUnreachable && error.cause !== undefined && !isCut(error) ? error : undefined;
  }
}

/** A gateway that is just being restarted: the request is sent again until it is back. */
const isCut = (error: unknown): boolean => ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(causeOf(error).code);

function missingOf(found: Look, what: PreflightOptions['what']): Missing[] {
  if (found === undefined) return [];
  if (found instanceof GatewayUnreachable) return ['gateway', 'exporter', 'converter'];
  return [
    ...(found.exporter_reachable ? [] : (['exporter'] as const)),
    ...(found.converter_reachable || what === 'export' ? [] : (['converter'] as const)),
  ];
}

function told(
  found: Look,
  missing: readonly Missing[],
  client: GatewayClient,
  { warn }: PreflightOptions,
  why?: string,
): GatewayClient {
  if (found instanceof GatewayUnreachable) throw found;
  const reason = why === undefined ? '' : ` (${why})`;
  for (const service of missing)
    warn(
      service === 'converter'
        ? `no converter is running${reason}: the job is accepted, and waits for one after its export`
        : `no exporter is running${reason}: nothing can be exported until one is`,
    );
  return client;
}

/** What stands in the way here belongs to the error that follows from it. */
function withAdvice(found: Look, why: string | undefined): Look {
  if (found instanceof GatewayUnreachable && why !== undefined) found.advice = why;
  return found;
}
