import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Most integration tests wait for other processes; more than one fits on a core.
    maxWorkers: 3,
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            '{libs,services}/*/test/**/*.unit.test.ts',
            'cli/test/**/*.unit.test.ts',
            'test/support/**/*.unit.test.ts',
          ],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.int.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          // A test for each command, at the command's path; all of them share one site.
          name: 'commands',
          include: ['test/commands/**/*.test.ts'],
          globalSetup: ['test/commands/site/start.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'guests',
          include: ['test/guests/**/*.guests.test.ts'],
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'e2e',
          // Two of the real guests are part of every run: those in which most can go wrong.
          include: ['test/e2e/**/*.e2e.test.ts', 'test/guests/{netplan-lvm,xfs-kernels}.guests.test.ts'],
          testTimeout: 1_200_000,
          hookTimeout: 900_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
