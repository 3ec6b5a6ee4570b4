// The supervisor process of the local stack: started by `hyperctl daemon start`, under a lock that the kernel frees when it dies.
import { parseArgs } from 'node:util';
import { ALL } from './names.js';
import { takeSettings } from './settings-variable.js';
import { Stack } from './stack.js';
import { LOOK_AGAIN } from './wanted.js';

const { values } = parseArgs({
  options: {
    home: { type: 'string' },
    port: { type: 'string' },
    only: { type: 'string', default: ALL.join(',') },
    /** Ends with its standard input, so that it does not outlive the terminal that it belongs to. */
    foreground: { type: 'boolean', default: false },
  },
});
if (values.home === undefined) throw new Error('--home is missing');

const stack = new Stack({
  home: values.home,
  port: values.port === undefined ? undefined : Number(values.port),
  set: takeSettings(process.env),
  only: values.only.split(','),
});
const stopped = new AbortController();
const stop = (): void => stopped.abort(new Error('stopped'));
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
process.on(LOOK_AGAIN, () => stack.obey());
// A terminal that closes takes no detached stack with it.
process.on('SIGHUP', () => {});
if (values.foreground) process.stdin.on('end', stop).resume();

const say = (message: string): void => console.log(`${new Date().toISOString()} ${message}`);
let failure: string | undefined;
try {
  await stack.start(stopped.signal);
  say('ready');
  if (!stopped.signal.aborted) {
    // Also with every service stopped on purpose there is somebody to start them again: promises alone keep no process alive.
    const alive = setInterval(() => {}, 2 ** 30);
    await new Promise((resolve) => stopped.signal.addEventListener('abort', resolve, { once: true }));
    clearInterval(alive);
  }
} catch (error) {
  if (!stopped.signal.aborted) failure = error instanceof Error ? error.message : String(error);
}
if (failure !== undefined) say(`failed: ${failure}`);
await stack.stop();
stack.close(failure);
say('stopped');
process.exit(failure === undefined ? 0 : 1);
