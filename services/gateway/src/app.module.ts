import { CONFIG, InjectLogger, type Logger } from '@hyper2kvm/runtime';
import { Module, type OnModuleInit } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ACCESS_CONTROLLERS, ACCESS_PROVIDERS } from './access/index.js';
import { BATCHES_CONTROLLERS, BATCHES_PROVIDERS } from './batches/index.js';
import { InjectSections, notices, type Sections } from './config.js';
import { connectDatabase, dataSourceOptions } from './database/index.js';
import { DEAD_LETTERS_CONTROLLERS, DEAD_LETTERS_PROVIDERS } from './dead-letters/index.js';
import { HOOKS_CONTROLLERS, HOOKS_PROVIDERS } from './hooks/index.js';
import { InventoryController } from './http/inventory.controller.js';
import { JobFollower } from './http/job-follower.js';
import { JobsController } from './http/jobs.controller.js';
import { ProblemFilter } from './http/problem.filter.js';
import { SystemController } from './http/system.controller.js';
import { InspectService } from './inspect/index.js';
import {
  AskedSources,
  ConvertService,
  FactsController,
  Histories,
  Imports,
  InventoryService,
  JobActions,
  JobChanges,
  JobQueries,
  ProcessManager,
  ProgressBoard,
  TargetCheck,
  Verifications,
} from './jobs/index.js';
import { NOTIFICATIONS_CONTROLLERS, NOTIFICATIONS_PROVIDERS } from './notifications/index.js';
import { OutboxRelay } from './outbox/index.js';
import { RELEASE_PROVIDERS } from './release/index.js';
import { RETENTION_CONTROLLERS, RETENTION_PROVIDERS } from './retention/index.js';
import { STATS_CONTROLLERS, STATS_PROVIDERS } from './stats/index.js';
import { GatewayMetrics } from './system/metrics.js';
import { HealthService } from './system/health.service.js';
import { VcenterContacts } from './system/vcenter-contacts.js';
import { VcenterProber } from './system/vcenter-prober.js';
import { VcenterWatch } from './system/vcenter-watch.js';
import { VCENTERS_CONTROLLERS, VCENTERS_PROVIDERS } from './vcenters/index.js';
import { WORKERS_CONTROLLERS, WORKERS_PROVIDERS } from './workers/index.js';

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
  controllers: [
    JobsController,
    InventoryController,
    SystemController,
    FactsController,
    ...ACCESS_CONTROLLERS,
    ...VCENTERS_CONTROLLERS,
    ...BATCHES_CONTROLLERS,
    ...HOOKS_CONTROLLERS,
    ...WORKERS_CONTROLLERS,
    ...DEAD_LETTERS_CONTROLLERS,
    ...NOTIFICATIONS_CONTROLLERS,
    ...STATS_CONTROLLERS,
    ...RETENTION_CONTROLLERS,
  ],
  providers: [
    OutboxRelay,
    ProcessManager,
    AskedSources,
    TargetCheck,
    ConvertService,
    InspectService,
    Histories,
    Imports,
    JobActions,
    JobQueries,
    ProgressBoard,
    JobChanges,
    Verifications,
    InventoryService,
    JobFollower,
    GatewayMetrics,
    HealthService,
    VcenterContacts,
    VcenterWatch,
    VcenterProber,
    { provide: APP_FILTER, useClass: ProblemFilter },
    ...ACCESS_PROVIDERS,
    ...VCENTERS_PROVIDERS,
    ...RELEASE_PROVIDERS,
    ...BATCHES_PROVIDERS,
    ...HOOKS_PROVIDERS,
    ...WORKERS_PROVIDERS,
    ...DEAD_LETTERS_PROVIDERS,
    ...NOTIFICATIONS_PROVIDERS,
    ...STATS_PROVIDERS,
    ...RETENTION_PROVIDERS,
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
