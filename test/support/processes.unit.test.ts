import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { expectNoProcesses, processesMentioning } from './processes.js';

it('finds a process by its environment, until it ended', async () => {
  const marker = `hyper2kvm-marker-${process.pid}-${Date.now()}`;
  const child = spawn('sleep', ['60'], { env: { ...process.env, MARKER: marker }, stdio: 'ignore' });
  try {
    await once(child, 'spawn');
    expect(await processesMentioning(marker)).toEqual([{ pid: child.pid, command: 'sleep 60' }]);
    await expect(expectNoProcesses(marker, 0)).rejects.toThrow(`${child.pid} sleep 60`);
  } finally {
    child.kill('SIGKILL');
  }
  await once(child, 'exit');
  await expectNoProcesses(marker, 0);
});
