import { LOGGER, type Logger } from '@hyper2kvm/runtime';
import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Releaser } from '../release/index.js';
import { Loop } from '../system/loop.js';

/** What other gateways did is found within this time; own changes kick. */
const TICK_MS = 500;

/** The first gate of a waiting job: its batch and its hook let it in. */
@Injectable()
export class Admission implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #loop: Loop;

  constructor(
    private readonly dataSource: DataSource,
    private readonly releaser: Releaser,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.#loop = new Loop({
      tickMs: TICK_MS,
      pass: () => this.pass(),
      failed: (error) => logger.warn({ err: error }, 'waiting jobs cannot be let in now'),
    });
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#loop.stop();
  }

  kick(): void {
    this.#loop.kick();
  }

  async pass(): Promise<boolean> {
    const [, count] = await this.dataSource.query<[unknown, number]>(
      `UPDATE jobs SET admitted_at = now(), version = version + 1
       WHERE id IN (SELECT id FROM jobs WHERE status = 'pending' AND admitted_at IS NULL ORDER BY plan_order LIMIT 500
         FOR UPDATE SKIP LOCKED)`,
    );
    if (count > 0) this.releaser.kick();
    return count > 0;
  }
}
