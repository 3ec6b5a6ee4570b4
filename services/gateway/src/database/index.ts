export * from './connect.js';
export * from './inbox.entity.js';
export * from './job.entity.js';
export * from './outbox.entity.js';
