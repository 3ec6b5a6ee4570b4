import type { Engine } from './engine.js';

/** A VM that holds data only: its disks go over as they are. */
export const noEngine: Engine = {
  name: 'none',
  steps: [],
  async convert({ appliance, work }) {
    work.log('info', 'The VM holds no operating system: nothing in its disks is changed');
    await appliance.close();
    return { changes: [], concerns: [], pinned: [], kernels: [] };
  },
};
