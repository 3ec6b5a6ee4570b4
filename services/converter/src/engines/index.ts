export { chooseEngine } from './choose.js';
export type { Engine, EngineInput, EngineResult } from './engine.js';
