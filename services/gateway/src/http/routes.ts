import type { Route } from './route.js';
import { ACCESS_ROUTES } from './routes/access.js';
import { BATCHES_ROUTES } from './routes/batches.js';
import { INVENTORY_ROUTES } from './routes/inventory.js';
import { JOBS_ROUTES } from './routes/jobs.js';
import { NOTIFICATIONS_ROUTES } from './routes/notifications.js';
import { OPERATIONS_ROUTES } from './routes/operations.js';
import { SYSTEM_ROUTES } from './routes/system.js';
import { VCENTERS_ROUTES } from './routes/vcenters.js';
import { WORKERS_ROUTES } from './routes/workers.js';

/** The whole API; the keys are the operations' ids. */
export const ROUTES = {
  ...SYSTEM_ROUTES,
  ...JOBS_ROUTES,
  ...BATCHES_ROUTES,
  ...INVENTORY_ROUTES,
  ...WORKERS_ROUTES,
  ...NOTIFICATIONS_ROUTES,
  ...OPERATIONS_ROUTES,
  ...VCENTERS_ROUTES,
  ...ACCESS_ROUTES,
} as const satisfies Record<string, Route>;
