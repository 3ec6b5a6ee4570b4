import { createInterface } from 'node:readline';
import type { GuardedProcess } from '@hyper2kvm/runtime';
import { z } from 'zod';

const Message = z.looseObject({
  event: z.string().optional(),
  data: z.unknown().optional(),
  id: z.number().optional(),
  return: z.unknown().optional(),
  error: z.object({ desc: z.string() }).optional(),
});

/** QEMU's machine protocol over the process's own pipes: no socket that could be left behind. */
export class Qmp {
  private readonly waiting = new Map<number, (answer: z.infer<typeof Message>) => void>();
  private last = 0;

  constructor(
    private readonly qemu: GuardedProcess,
    onEvent: (name: string, data: unknown) => void,
  ) {
    createInterface({ input: qemu.stdout }).on('line', (line) => {
      const message = parse(line);
      if (message?.event !== undefined) onEvent(message.event, message.data);
      else if (message?.id !== undefined) this.waiting.get(message.id)?.(message);
    });
    void this.execute('qmp_capabilities').catch(() => undefined);
  }

  /** Runs a command. @throws Error with QEMU's words, or when QEMU is gone */
  async execute(command: string, args: Record<string, unknown> = {}): Promise<unknown> {
    const id = (this.last += 1);
    const answer = new Promise<z.infer<typeof Message>>((resolve) => this.waiting.set(id, resolve));
    this.qemu.stdin.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    const gone = this.qemu.exited.then(() => ({ error: { desc: 'QEMU has ended' }, return: undefined }));
    const { error, return: value } = await Promise.race([answer, gone]);
    this.waiting.delete(id);
    if (error !== undefined) throw new Error(`${command}: ${error.desc}`);
    return value;
  }
}

function parse(line: string): z.infer<typeof Message> | undefined {
  try {
    return Message.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
