import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LuksKey } from '@hyper2kvm/contracts';
import { addEvent, spawnGuarded, type GuardedProcess } from '@hyper2kvm/runtime';
import { GrowingFile } from './growing.js';
import { Keyboard } from './keyboard.js';
import { PassphraseTyper } from './passphrase.js';
import { PORT_LOG, SCREENSHOT, SERIAL_LOG, SERIAL_SOCKET } from './qemu.js';
import { Qmp } from './qmp.js';
import { findReport, type GuestReport } from './report.js';
import { failureInSerial, LOOK_BACK } from './serial.js';

/** A chatty boot has some 100 KiB. */
const SERIAL_LIMIT_BYTES = 32 * 1024 * 1024;
const PORT_LIMIT_BYTES = 1024 * 1024;
const POLL_MS = 250;
/** One for an SELinux relabel, one for the firmware's fallback loader, which writes a boot entry and resets. */
const RESETS_ALLOWED = 2;
/** The first words of a kernel on its console. */
const KERNEL = /Linux version \d|Booting the kernel|^\[ +\d+\.\d+\]/m;

export interface BootOutcome {
  readonly report?: GuestReport;
  /** Why it failed; undefined with a report. */
  readonly fault?: string;
  /** From power-on to the report or the failure. */
  readonly seconds: number;
  readonly serial: string;
  readonly screenshot: boolean;
}

export interface BootOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Typed over the serial console when the guest asks for them. */
  readonly luksKeys?: readonly LuksKey[];
}

/** Boots and waits for the guest's report, a failure that shows, or the time limit. QEMU has ended afterwards. */
export async function boot(args: readonly string[], folder: string, options: BootOptions): Promise<BootOutcome> {
  const { signal, timeoutMs } = options;
  const words: string[] = [];
  const qemu = spawnGuarded('qemu-system-x86_64', args, { cwd: folder, stdin: 'pipe', signal });
  qemu.stderr.setEncoding('utf8').on('data', (text: string) => words.push(text));
  const machine = watchMachine(qemu);
  const serial = new GrowingFile(path.join(folder, SERIAL_LOG), SERIAL_LIMIT_BYTES);
  const port = new GrowingFile(path.join(folder, PORT_LOG), PORT_LIMIT_BYTES);
  const keyboard = new Keyboard(folder, SERIAL_SOCKET);
  const typer = new PassphraseTyper(options.luksKeys ?? []);
  const start = performance.now();
  let kernelSeen = false;
  try {
    for (;;) {
      await sleep(POLL_MS, undefined, { signal });
      const seen = Math.max(0, serial.text.length - LOOK_BACK);
      await Promise.all([serial.read(), port.read()]);
      const seconds = Math.round((performance.now() - start) / 100) / 10;
      if (!kernelSeen && KERNEL.test(serial.text)) {
        kernelSeen = true;
        addEvent('kernel seen', { seconds });
      }
      const report = findReport(port.text);
      const fault =
        report === undefined
          ? (machine.fault(words) ??
            failureInSerial(serial.text.slice(seen)) ??
            (await answer(serial.text, typer, keyboard)) ??
            flood(serial, port) ??
            silence(start, timeoutMs))
          : undefined;
      if (report === undefined && fault === undefined) continue;
      addEvent(report === undefined ? 'no signal' : 'signal from inside', {
        seconds,
        ...(report === undefined ? { reason: fault ?? '' } : { kernel: report.kernel }),
      });
      const screenshot = await machine.screenshot();
      await machine.quit();
      await qemu.kill();
      const said = typer.redact(serial.text);
      if (said !== serial.text) await writeFile(path.join(folder, SERIAL_LOG), said, 'latin1');
      return { seconds, serial: said, screenshot, ...(report ? { report } : {}), ...(fault ? { fault } : {}) };
    }
  } finally {
    keyboard.close();
    await qemu.kill();
  }
}

/** Types what is asked for; what cannot be answered is the end of the boot. */
async function answer(log: string, typer: PassphraseTyper, keyboard: Keyboard): Promise<string | undefined> {
  try {
    const text = typer.next(log);
    if (text !== undefined) await keyboard.type(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const flood = (...files: GrowingFile[]): string | undefined =>
  files.some((file) => file.flooded) ? 'it floods its console' : undefined;

const silence = (start: number, timeoutMs: number): string | undefined =>
  performance.now() - start > timeoutMs ? `it did not report within ${timeoutMs / 1000} s` : undefined;

interface WatchedMachine {
  fault(stderr: readonly string[]): string | undefined;
  screenshot(): Promise<boolean>;
  quit(): Promise<void>;
}

function watchMachine(qemu: GuardedProcess): WatchedMachine {
  let resets = 0;
  let off = false;
  let ended: string | undefined;
  const qmp = new Qmp(qemu, (event, data) => {
    if (event === 'RESET' && (data as { guest?: boolean } | undefined)?.guest === true) resets += 1;
    if (event === 'SHUTDOWN') off = true;
  });
  void qemu.exited.then(({ code, signal }) => {
    ended = `QEMU ended with ${code ?? signal}`;
  });
  return {
    fault(stderr) {
      if (resets > RESETS_ALLOWED) return `it reset itself ${resets} times`;
      if (off) return 'it powered itself off';
      return ended === undefined ? undefined : `${ended}: ${stderr.join('').trim().split('\n').at(-1) ?? ''}`;
    },
    screenshot: () =>
      qmp.execute('screendump', { filename: SCREENSHOT, format: 'png' }).then(
        () => true,
        () => false,
      ),
    async quit() {
      await qmp.execute('quit').catch(() => undefined);
    },
  };
}
