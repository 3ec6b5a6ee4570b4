export { resolveHome, stackPaths, SYSTEM_HOME, type StackPaths } from './home.js';
export { halt, type Halted } from './halt.js';
export { launch, type Launched, type LaunchOptions } from './launch.js';
export { localGateway, report, type ServiceReport, type StackReport } from './report.js';
export { readState, type ServiceState, type StackState } from './state.js';
