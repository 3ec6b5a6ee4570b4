export { InspectService } from './inspect.service.js';
