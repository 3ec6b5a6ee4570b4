import { hyperctl as run } from '../integration/cli-standin.js';
import { Client } from '../integration/gateway-client.js';
import { startStack, type Stack } from '../integration/gateway-stack.js';
import { startWorkers, type Behaviour } from '../integration/gateway-workers.js';
import type { Ran } from './site/index.js';

export { Gate } from '../integration/gateway-client.js';

/** A real gateway with workers that stand in for exporter and converter: for commands that change the fleet for all. */
export interface OwnFleet {
  readonly stack: Stack;
  readonly client: Client;
  readonly env: Readonly<Record<string, string>>;
  hyperctl(args: readonly string[], env?: Record<string, string>): Promise<Ran>;
  json<T>(args: readonly string[]): Promise<T>;
  stop(): Promise<void>;
}

/** @param behaviour of the workers; undefined: there are none @param sections of the gateway's configuration */
export async function startOwnFleet(behaviour?: Behaviour, sections: Record<string, unknown> = {}): Promise<OwnFleet> {
  const stack = await startStack();
  const gateway = await stack.gateway(sections).catch(async (error: unknown) => {
    await stack.stop();
    throw error;
  });
  const stopWorkers = behaviour === undefined ? undefined : await startWorkers(stack.nats.servers, behaviour);
  const env = { HYPER2KVM_URL: gateway.url, VSPHERE_SERVER: 'vc.example.com', VSPHERE_USERNAME: 'u' };
  const hyperctl = async (args: readonly string[], more: Record<string, string> = {}): Promise<Ran> => {
    const { exitCode, stdout, stderr } = await run(args, { ...env, ...more }, { stdin: 'ignore' });
    return { exitCode: exitCode ?? 255, stdout: String(stdout), stderr: String(stderr) };
  };
  return {
    stack,
    client: new Client(gateway),
    env,
    hyperctl,
    json: async <T>(args: readonly string[]) => JSON.parse((await hyperctl([...args, '--json'])).stdout) as T,
    stop: async () => {
      await stopWorkers?.();
      await stack.stop();
    },
  };
}
