import type { Live, Status } from '@hyper2kvm/contracts';
import { liveness, registry } from '@hyper2kvm/runtime';
import { Controller, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { GatewayMetrics } from '../system/metrics.js';
import { HealthService } from '../system/health.service.js';
import { openApiDocument } from './openapi.js';
import { Serve } from './route.js';
import { ROUTES } from './routes.js';

/** What lies at the root. */
@Controller()
export class SystemController {
  readonly #document = openApiDocument();

  constructor(
    private readonly healthService: HealthService,
    private readonly metricsService: GatewayMetrics,
  ) {}

  @Serve(ROUTES.health)
  async health(@Res() reply: FastifyReply): Promise<void> {
    const health = await this.healthService.health();
    await reply.code(health.status === 'unhealthy' ? 503 : 200).send(health);
  }

  @Serve(ROUTES.live)
  live(): Live {
    return liveness('gateway');
  }

  @Serve(ROUTES.ready)
  async ready(@Res() reply: FastifyReply): Promise<void> {
    const ready = await this.healthService.ready();
    await reply.code(ready.status === 'ready' ? 200 : 503).send(ready);
  }

  @Serve(ROUTES.status)
  status(): Promise<Status> {
    return this.healthService.status();
  }

  @Serve(ROUTES.metrics)
  async metrics(@Res() reply: FastifyReply): Promise<void> {
    await reply.header('content-type', registry.contentType).send(await this.metricsService.text());
  }

  @Serve(ROUTES.openapi)
  openapi(): Record<string, unknown> {
    return this.#document;
  }
}
