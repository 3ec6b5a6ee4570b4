export { homeConfigured, isRoot, logFile, resolveHome, stackPaths, SYSTEM_HOME, type StackPaths } from './home.js';
export { halt, type Halted } from './halt.js';
export { health, healthStatus } from './health.js';
export { launch, type Launched, type LaunchOptions } from './launch.js';
export { isAlive, type ProcessId } from './processes.js';
export { localGateway, report } from './report.js';
export { mark, runningState, setService } from './single.js';
export { readState, type ServiceState, type StackState } from './state.js';
