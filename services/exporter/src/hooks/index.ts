export { HooksConfig } from './config.js';
export { HooksService } from './hooks.service.js';
