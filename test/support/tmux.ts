import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { HYPERCTL } from '../integration/cli-standin.js';

export interface TerminalOptions {
  /** Cells of a line; 80 unless told. */
  readonly columns?: number;
  /** Lines of the screen; 24 unless told. */
  readonly rows?: number;
  /** What the shell has in its environment besides PATH, HOME, TERM and LC_ALL; these may be overruled. */
  readonly env?: Readonly<Record<string, string>>;
}

/** How long a screen may take to become what is waited for: the machine may be busy. */
const WAIT_MS = 45_000;

/**
 * A shell in a real pseudo-terminal, by tmux with a server and a socket of its own: nothing of the machine's configuration counts.
 * The prompt shows the exit code of the last command: `[0] $ `. `hyperctl` is the built command. It ends with the test.
 */
export class Terminal {
  private constructor(
    private readonly folder: string,
    private readonly socket: string,
  ) {}

  static async open(options: TerminalOptions = {}): Promise<Terminal> {
    const folder = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-tmux-'));
    const terminal = new Terminal(folder, path.join(folder, 'socket'));
    onTestFinished(() => terminal.close());
    const bin = path.join(folder, 'hyperctl');
    await writeFile(bin, `#!/bin/sh\nexec '${process.execPath}' '${HYPERCTL}' "$@"\n`, { mode: 0o755 });
    await writeFile(terminal.#log, '');
    const env = {
      PATH: `${folder}:${process.env['PATH'] ?? ''}`,
      HOME: '/nonexistent',
      HYPER2KVM_HOME: '/nonexistent/stack',
      TERM: 'tmux-256color',
      LC_ALL: 'C.UTF-8',
      PS1: '[$?] $ ',
      // Should nobody be left to end it, the shell ends itself, and with it the server.
      TMOUT: '900',
      HISTFILE: '',
      ...options.env,
    };
    // By env(1), since `-e` would leave what tmux itself puts into the environment.
    const shell = [
      'env',
      '-i',
      ...Object.entries(env).map((pair) => pair.join('=')),
      'bash',
      '--noprofile',
      '--norc',
      '-i',
    ];
    const size = ['-x', String(options.columns ?? 80), '-y', String(options.rows ?? 24)];
    const session = ['new-session', '-d', ...size, '-c', folder, ...shell];
    const log = ['pipe-pane', '-o', `exec cat >> '${terminal.#log}'`];
    await terminal.#tmux('start-server', ';', 'set-option', '-g', 'status', 'off', ';', ...session, ';', ...log);
    await terminal.waitFor(/^\[0\] \$/m);
    return terminal;
  }

  get #log(): string {
    return path.join(this.folder, 'bytes');
  }

  /** Types a line and Enter. */
  async run(line: string): Promise<void> {
    await this.#tmux('send-keys', '-l', '--', line);
    await this.keys('Enter');
  }

  /** Presses keys by tmux's names: `C-c`, `Up`, `q`. */
  async keys(...names: string[]): Promise<void> {
    await this.#tmux('send-keys', '--', ...names);
  }

  /** What is to be seen, without blanks at the ends of lines and empty lines at the bottom. */
  async screen(): Promise<string> {
    return trimmed(await this.#tmux('capture-pane', '-p'));
  }

  /** What is to be seen and what has scrolled away above it. `escapes`: with the codes of colours. */
  async everything(options: { readonly escapes?: boolean } = {}): Promise<string> {
    return trimmed(await this.#tmux('capture-pane', '-p', '-S', '-', ...(options.escapes === true ? ['-e'] : [])));
  }

  /** All that was written to the terminal since it was opened. */
  bytes(): Promise<string> {
    return readFile(this.#log, 'utf8');
  }

  async cursorVisible(): Promise<boolean> {
    return (await this.#tmux('display-message', '-p', '#{cursor_flag}')).trim() === '1';
  }

  /** The process that runs in the shell, or the shell itself. */
  async shellPid(): Promise<number> {
    return Number(await this.#tmux('display-message', '-p', '#{pane_pid}'));
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** The screen once it is as wanted. @throws Error with the last screen when it does not become so */
  async waitFor(wanted: string | RegExp | ((screen: string) => boolean), limitMs = WAIT_MS): Promise<string> {
    const end = Date.now() + limitMs;
    for (;;) {
      const screen = await this.screen();
      if (isAs(screen, wanted)) return screen;
      if (Date.now() > end) throw new Error(`the screen did not become ${String(wanted)}:\n${screen}`);
      await sleep(50);
    }
  }

  /** As if the window were closed: what runs in it gets a SIGHUP. */
  async hangUp(): Promise<void> {
    await this.#tmux('kill-session');
  }

  async close(): Promise<void> {
    // The server may have ended with its last session.
    await this.#tmux('kill-server').catch(() => {});
    await rm(this.folder, { recursive: true, force: true });
  }

  async #tmux(...args: string[]): Promise<string> {
    const { stdout } = await execa('tmux', ['-u', '-S', this.socket, '-f', '/dev/null', ...args], {
      extendEnv: false,
      env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', LC_ALL: 'C.UTF-8', TERM: 'xterm-256color' },
      timeout: 20_000,
    });
    return stdout;
  }
}

const trimmed = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .trimEnd();

function isAs(screen: string, wanted: string | RegExp | ((screen: string) => boolean)): boolean {
  if (typeof wanted === 'function') return wanted(screen);
  return typeof wanted === 'string' ? screen.includes(wanted) : wanted.test(screen);
}
