import { CONFIG, InjectLogger, type Logger } from '@hyper2kvm/runtime';
import { Module, type OnModuleInit } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { InjectSections, notices, type Sections } from './config.js';
import { connectDatabase, dataSourceOptions } from './database/index.js';
import { AuthGuard } from './http/auth.guard.js';
import { InventoryController } from './http/inventory.controller.js';
import { JobFollower } from './http/job-follower.js';
import { JobsController } from './http/jobs.controller.js';
import { ProblemFilter } from './http/problem.filter.js';
import { SystemController } from './http/system.controller.js';
import { WorkersController } from './http/workers.controller.js';
import { InspectService } from './inspect/index.js';
import {
  AskedSources,
  ConvertService,
  FactsController,
  Imports,
  InventoryService,
  JobActions,
  JobChanges,
  JobQueries,
  ProcessManager,
  TargetCheck,
  VcenterSources,
  Verifications,
} from './jobs/index.js';
import { OutboxRelay } from './outbox/index.js';
import { Releaser } from './release/index.js';
import { GatewayMetrics } from './system/metrics.js';
import { HealthService } from './system/health.service.js';
import { VcenterWatch } from './system/vcenter-watch.js';
import { Workers } from './system/workers.js';

/** Together about a minute: services may be started in any order. */
const CONNECT = { retryAttempts: 60, retryDelay: 1000 };

@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      inject: [CONFIG],
      useFactory: ({ gateway: { database } }: Sections) => ({
        ...dataSourceOptions({ ...database, poolSize: database.pool_size }),
        ...CONNECT,
      }),
      dataSourceFactory: async (options) => {
        if (options === undefined) throw new Error('no database options');
        return connectDatabase(options);
      },
    }),
  ],
  controllers: [JobsController, InventoryController, WorkersController, SystemController, FactsController],
  providers: [
    OutboxRelay,
    Releaser,
    ProcessManager,
    AskedSources,
    TargetCheck,
    ConvertService,
    InspectService,
    Imports,
    JobActions,
    JobQueries,
    JobChanges,
    Verifications,
    InventoryService,
    VcenterSources,
    Workers,
    JobFollower,
    GatewayMetrics,
    HealthService,
    VcenterWatch,
    { provide: APP_FILTER, useClass: ProblemFilter },
    { provide: APP_GUARD, useClass: AuthGuard },
  ],
})
export class AppModule implements OnModuleInit {
  constructor(
    @InjectSections() private readonly config: Sections,
    @InjectLogger() private readonly logger: Logger,
  ) {}

  onModuleInit(): void {
    for (const notice of notices(this.config)) this.logger.warn(notice);
  }
}
