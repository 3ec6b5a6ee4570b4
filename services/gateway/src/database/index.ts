export * from './access.entity.js';
export * from './batch.entity.js';
export * from './connect.js';
export * from './history.entity.js';
export * from './inbox.entity.js';
export * from './job.entity.js';
export * from './outbox.entity.js';
export * from './vcenter.entity.js';
