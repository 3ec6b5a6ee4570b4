export { draw, type Size } from './draw/index.js';
export { Looker } from './look.js';
export { newModel, type Model, type Scope } from './model.js';
export { reduce } from './reduce.js';
export { runFleet } from './run.js';
export { snapshot } from './snapshot.js';
