import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runGuarded, spawnGuarded } from '../src/index.js';

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
const gone = async (pid: number): Promise<void> => expect.poll(() => alive(pid), { timeout: 8000 }).toBe(false);

describe('the guard', () => {
  it('gives output and exit code, and passes input', async () => {
    const { stdout } = await runGuarded('cat', [], { input: 'hello' });
    expect(stdout).toBe('hello');
    await expect(runGuarded('sh', ['-c', 'echo broken >&2; exit 3'])).rejects.toThrow(/sh ended with 3: broken/);
    await expect(runGuarded('no-such-command-here', [])).rejects.toThrow(/could not be started/);
  });

  it('ends what a command left behind', async () => {
    const { stdout } = await runGuarded('sh', ['-c', 'sleep 60 >/dev/null 2>&1 & echo $!']);
    await gone(Number(stdout));
  });

  it('ends a command that ignores SIGTERM at its time limit', async () => {
    await expect(runGuarded('sh', ['-c', 'trap "" TERM; sleep 60'], { timeoutMs: 200 })).rejects.toThrow(
      /did not end within/,
    );
  });

  it('keeps a server that detached until it is told to end', async () => {
    const lines: string[] = [];
    const guarded = spawnGuarded('sh', ['-c', 'sleep 60 >/dev/null 2>&1 & echo $!'], {
      linger: true,
      onLine: (line) => lines.push(line),
    });
    await expect.poll(() => lines.length, { timeout: 5000 }).toBe(1);
    const pid = Number(lines[0]);
    expect(alive(pid)).toBe(true);
    await guarded.kill();
    await gone(pid);
  });

  it('ends a command that would fill the memory', async () => {
    await expect(runGuarded('yes', ['x'.repeat(1000)])).rejects.toThrow(/printed more than 64 MiB/);
  });

  it('ends although something that left its session holds the output open', async () => {
    const lines: string[] = [];
    const guarded = spawnGuarded('sh', ['-c', 'setsid sleep 30 & echo $!; wait'], {
      onLine: (line) => lines.push(line),
    });
    await expect.poll(() => lines.length, { timeout: 5000 }).toBe(1);
    await guarded.kill();
    process.kill(Number(lines[0]));
  });

  it('passes early ends, unread input and aborts', async () => {
    expect(await runGuarded('true', [], { input: Buffer.alloc(4_000_000) })).toEqual({ stdout: '', stderr: '' });
    const lines: string[] = [];
    await runGuarded('sh', ['-c', 'exec 1>&-; printf "no newline" >&2'], { onLine: (line) => lines.push(line) });
    expect(lines).toEqual(['no newline']);
    expect(() => spawnGuarded('true', [], { signal: AbortSignal.abort(new Error('too late')) })).toThrow('too late');
    const abort = new AbortController();
    const running = runGuarded('sleep', ['60'], { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    const ended = spawnGuarded('sh', ['-c', 'kill -9 $$']);
    expect(await ended.exited).toMatchObject({ code: 137 });
    await ended.kill();
    await expect(runGuarded('true', [], { cwd: '/nonexistent' })).rejects.toThrow(/could not be started/);
  });

  it('ends the whole session when the worker is killed with -9', async () => {
    const script = `import { spawnGuarded } from '${new URL('../dist/index.js', import.meta.url).href}';
      spawnGuarded('sh', ['-c', 'sleep 60 & echo $! ; wait'], { onLine: (line) => console.log(line) }); setInterval(() => {}, 1000);`;
    const worker = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: fileURLToPath(new URL('..', import.meta.url)),
    });
    const [chunk] = (await once(worker.stdout, 'data')) as [Buffer];
    const pid = Number(chunk.toString());
    // Forked already, it may take a moment until it is the program.
    const name = (): string => execFileSync('ps', ['-o', 'comm=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    await expect.poll(name, { timeout: 10_000 }).toBe('sleep');
    worker.kill('SIGKILL');
    await gone(pid);
  });
});
