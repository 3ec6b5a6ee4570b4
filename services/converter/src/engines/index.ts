export type { Engine, EngineInput, EngineResult } from './engine.js';
export { nativeEngine } from './native.js';
