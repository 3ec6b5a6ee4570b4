import { Inject, Injectable } from '@nestjs/common';
import { JobError, type HookCompleted, type HookRequested } from '@hyper2kvm/contracts';
import { CONFIG, LOGGER, withLongSpan, type Logger, type WorkContext } from '@hyper2kvm/runtime';
import { callHook } from './call.js';
import { runCommand } from './command.js';
import type { HooksConfig } from './config.js';

/** Runs hooks, each up to its time limit. Whatever there is to say of one is in its fact. */
@Injectable()
export class HooksService {
  private readonly config: HooksConfig;

  constructor(
    @Inject(CONFIG) config: { readonly hooks: HooksConfig },
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.config = config.hooks;
  }

  async run(
    data: HookRequested,
    work: Pick<WorkContext, 'signal'>,
  ): Promise<Omit<HookCompleted, 'job_id' | 'attempt' | 'worker'>> {
    const { moment, scope, job_id, batch_id, wave } = data.about;
    const fields = { hook_id: data.job_id, moment, scope, job_id, batch_id, wave };
    const started = performance.now();
    try {
      const about = {
        'hook.moment': moment,
        'hook.scope': scope,
        ...(job_id === undefined ? {} : { 'job.id': job_id }),
        ...(batch_id === undefined ? {} : { 'batch.id': batch_id }),
      };
      const name = 'url' in data.hook ? 'hook call' : 'hook command';
      const { code, output } = await withLongSpan(name, about, () => this.#run(data, work.signal));
      this.logger.info({ ...fields, code }, 'hook completed');
      return { code, output, duration_seconds: (performance.now() - started) / 1000 };
    } catch (error) {
      if (error instanceof JobError) this.logger.warn({ ...fields, error: error.message }, 'hook failed');
      throw error;
    }
  }

  async #run(
    { hook, about, job_id: id }: HookRequested,
    signal: AbortSignal,
  ): Promise<{ code: number; output: string }> {
    const timeoutMs = hook.timeout_seconds * 1000;
    if ('url' in hook) {
      const { secret, allow_urls: allowUrls } = this.config;
      return callHook({ id, url: hook.url, about, secret, allowUrls, timeoutMs, signal });
    }
    const command = this.#command(hook.command);
    return runCommand({
      name: hook.command,
      command,
      args: hook.args ?? [],
      about,
      timeoutMs: Math.min(timeoutMs, (command.timeout_seconds ?? Infinity) * 1000),
      signal,
    });
  }

  #command(name: string) {
    const { commands } = this.config;
    const found = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (found !== undefined) return found;
    const names = Object.keys(commands);
    const known = names.length === 0 ? 'there are none' : `there are ${names.join(', ')}`;
    throw new JobError('HOOK_FAILED', `hooks.commands of the worker has no ${name}; ${known}.`);
  }
}
