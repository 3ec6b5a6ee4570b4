import { Health } from '@hyper2kvm/contracts';

/** What a service says of itself: every /health has `status`. Undefined when it says nothing. */
export async function healthStatus(url: string): Promise<Health['status'] | undefined> {
  try {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(3000) });
    return Health.shape.status.parse(((await response.json()) as { status?: unknown }).status);
  } catch {
    return undefined;
  }
}

/** What the gateway says of the whole; undefined when it says nothing. */
export async function health(url: string): Promise<Health | undefined> {
  try {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(3000) });
    return Health.parse(await response.json());
  } catch {
    return undefined;
  }
}
