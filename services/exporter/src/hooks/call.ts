import { JobError, type HookSubject } from '@hyper2kvm/contracts';
import { HttpCallError, mayBeCalled, postSigned } from '@hyper2kvm/runtime';
import { lastLine, printable } from './output.js';

export interface HookCall {
  /** Of this run of the hook: the same when it is repeated. */
  readonly id: string;
  readonly url: string;
  readonly about: HookSubject;
  readonly secret: string | undefined;
  readonly allowUrls: readonly string[] | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Tells a receiver what the hook is about.
 * @throws JobError HOOK_FAILED without an answer of 2xx; the signal's reason when aborted
 */
export async function callHook(call: HookCall): Promise<{ code: number; output: string }> {
  const { host } = new URL(call.url);
  if (!mayBeCalled(call.url, call.allowUrls))
    throw new JobError(
      'HOOK_FAILED',
      `The hook was not called: hooks.allow_urls of the worker has nothing for ${host}.`,
    );
  try {
    const { status, text } = await postSigned({
      ...call,
      body: JSON.stringify(call.about),
      time: new Date(),
    });
    const output = printable(Buffer.from(text));
    if (status >= 200 && status < 300) return { code: status, output };
    const line = lastLine(output);
    throw new JobError('HOOK_FAILED', `The hook at ${host} answered ${status}${line === '' ? '.' : `: ${line}`}`);
  } catch (error) {
    if (error instanceof HttpCallError)
      throw new JobError('HOOK_FAILED', `The hook failed: ${error.message}.`, { cause: error });
    throw error;
  }
}
