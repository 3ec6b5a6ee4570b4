// For tests and scripts of this repository: what the local stack says of itself. The commands are found by oclif.
export {
  readState,
  resolveHome,
  stackPaths,
  type ServiceState,
  type StackPaths,
  type StackState,
} from './stack/index.js';
