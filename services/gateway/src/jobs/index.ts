export { JobActions } from './actions.js';
export { JobChanges } from './changes.js';
export { ConvertService } from './convert.service.js';
export { FactsController } from './facts.controller.js';
export { ProcessManager } from './process-manager.js';
export { JobQueries } from './queries.js';
export type { WorkerFact } from './decide.js';
