import { LINUX_STEPS, runSteps } from '../steps/index.js';
import type { Engine } from './engine.js';

/** Our own steps for Linux guests, all in one appliance. */
export const nativeEngine: Engine = {
  name: 'native',
  steps: LINUX_STEPS.map(({ name }) => name),
  async convert(input) {
    const { changes, concerns, pinned, kernels } = await runSteps(LINUX_STEPS, input);
    await input.appliance.close();
    return { changes, concerns, pinned, kernels };
  },
};
