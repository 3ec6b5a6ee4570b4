import { setTimeout as sleep } from 'node:timers/promises';
import { CliError } from '../lib/errors.js';
import { EXIT } from '../lib/exit-codes.js';
import type { Missing } from '../lib/preflight.js';
import { health, homeConfigured, isRoot, launch, runningState, type StackState } from '../stack/index.js';
import { isHere, localUrl, SystemdManager, unitsOf } from '../systemd/index.js';
import { chooseManager } from './choose.js';

const DEFAULT_LISTEN = '127.0.0.1:8080';
/** A worker that was just started shows itself to the gateway within this. */
const SHOWN_MS = 20_000;

export interface Started {
  readonly started: boolean;
  /** Why not, where this machine could have. */
  readonly why?: string | undefined;
}

interface Wanted {
  /** As it was named; undefined: nobody named a gateway. */
  readonly url: string | undefined;
  readonly say: (text: string) => void;
}

const NOTHING: Started = { started: false };

/** Starts what is missing where it is installed here, and the gateway that is asked is the one of this machine. */
export async function startMissing(missing: readonly Missing[], wanted: Wanted): Promise<Started> {
  const manager = await chooseManager({});
  try {
    return await (manager instanceof SystemdManager
      ? startUnits(manager, missing, wanted)
      : startStack(manager.home, missing, wanted));
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const { message, why, advice } = error;
    // A worker that does not start is no reason to refuse a job: it can wait.
    if (!missing.includes('gateway'))
      return { started: false, why: [message, why, advice].filter((text) => text !== undefined).join('; ') };
    // Whoever wanted a job to be taken has no gateway to take it.
    throw new CliError(message, { code: error.code, exitCode: EXIT.unreachable, why, advice, cause: error });
  }
}

async function startStack(home: string, missing: readonly Missing[], { url, say }: Wanted): Promise<Started> {
  const state = runningState(home);
  if (state === undefined) {
    const listen = homeConfigured(home);
    if (listen === undefined || (url !== undefined && !isHere(url, listen, undefined))) return NOTHING;
    // With a gateway that answers it is not this stack's absence that is felt.
    if (!missing.includes('gateway')) return NOTHING;
    say('The local stack is not running: starting it…');
    const { state: up } = await launch({ home, set: [], foreground: false, onState: () => {} });
    say(`The local stack is ready: gateway ${up.gateway_url}`);
    return heldBack(up, missing);
  }
  if (url !== undefined && !isHere(url, new URL(state.gateway_url || 'http://0.0.0.0:0').host, undefined))
    return NOTHING;
  const rests = heldBack(state, missing);
  if (rests.why !== undefined) return { started: false, why: rests.why };
  // Its supervisor is at it.
  say(`The local stack is starting ${missing.join(', ')}: waiting for it…`);
  if (state.state === 'starting') await launch({ home, set: [], foreground: false, onState: () => {} });
  await shown(runningState(home)?.gateway_url ?? state.gateway_url, missing);
  return { started: true };
}

/** What somebody stopped on purpose stays stopped. */
function heldBack(state: StackState, missing: readonly Missing[]): Started {
  const felt = missing.includes('gateway') ? (['gateway'] as const) : missing;
  const rest = felt.filter((name) => state.services[name]?.wanted === false);
  if (rest.length === 0) return { started: true };
  return { started: true, why: `stopped on purpose; hyperctl daemon start ${rest.join(' ')}` };
}

async function startUnits(
  manager: SystemdManager,
  missing: readonly Missing[],
  { url, say }: Wanted,
): Promise<Started> {
  const { listen, socket, readable } = await manager.gateway();
  const at = listen.get('gateway') ?? (readable ? undefined : DEFAULT_LISTEN);
  if (!isHere(url ?? `http://${DEFAULT_LISTEN}`, at, socket)) return NOTHING;
  const units = (await unitsOf(manager.services)).filter(({ service }) => missing.some((name) => name === service));
  const down = units.filter(({ active }) => active !== 'active' && active !== 'activating');
  // Whoever masks a unit does not want it to run.
  const names = down.filter(({ file }) => !file.startsWith('masked')).map(({ service }) => service);
  const off = down.filter(({ service }) => !names.includes(service)).map(({ service }) => service);
  if (names.length === 0)
    return off.length === 0
      ? NOTHING
      : { started: false, why: `masked; sudo systemctl unmask hyper2kvm-${off.join(' hyper2kvm-')}` };
  if (!isRoot())
    return {
      started: false,
      why: `only root may start it: sudo systemctl start hyper2kvm-${names.join(' hyper2kvm-')}`,
    };
  await manager.start(names, (name) => say(`systemd: starting hyper2kvm-${name}…`));
  if (at !== undefined)
    await shown(
      localUrl(at),
      missing.filter((name) => names.includes(name) || name === 'gateway'),
    );
  return { started: true };
}

/** Waits until the gateway sees them; what then is still missing is told. */
async function shown(url: string, missing: readonly Missing[]): Promise<void> {
  const end = Date.now() + SHOWN_MS;
  while (Date.now() < end) {
    const answer = await health(url);
    const exporter = answer?.exporter_reachable === true || !missing.includes('exporter');
    const converter = answer?.converter_reachable === true || !missing.includes('converter');
    if (answer !== undefined && exporter && converter) return;
    await sleep(200);
  }
}
