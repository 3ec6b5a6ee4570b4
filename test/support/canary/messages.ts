import type { Bus } from '@hyper2kvm/runtime';
import { headers, type MsgHdrs } from 'nats';

const textOf = (subject: string, header: MsgHdrs | undefined, data: Uint8Array): string => {
  const all = header === undefined ? [] : [...header].map(([key, values]) => `${key}: ${values.join(', ')}`);
  return [subject, ...all, Buffer.from(data).toString('utf8')].join('\n');
};

export interface Wiretap {
  /** All that went over the wire: subjects, headers, bodies. */
  text(): string;
  stop(): Promise<void>;
}

/** Hears every message of the server, also those that no stream keeps: questions, answers, and what queues give away. */
export async function wiretap(bus: Bus): Promise<Wiretap> {
  const heard: string[] = [];
  const subscription = bus.connection.subscribe('>', {
    callback: (_error, message) => heard.push(textOf(message.subject, message.headers, message.data)),
  });
  await bus.connection.flush();
  return {
    text: () => heard.join('\n'),
    stop: async () => {
      subscription.unsubscribe();
      await bus.connection.flush();
    },
  };
}

/** Everything that streams and buckets hold now: name of the stream → its messages. */
export async function streamsOf(bus: Bus): Promise<Map<string, string>> {
  const streams = new Map<string, string>();
  for await (const { config } of bus.jsm.streams.list()) {
    const texts: string[] = [];
    for (let seq = 1; ;) {
      const next = { seq, next_by_subj: '>' } as { seq: number };
      const message = await bus.jsm.streams.getMessage(config.name, next).catch((error: unknown) => {
        if ((error as { code?: unknown }).code === '404') return undefined;
        throw error;
      });
      if (message === undefined) break;
      texts.push(textOf(message.subject, message.header, message.data));
      seq = message.seq + 1;
    }
    streams.set(config.name, texts.join('\n'));
  }
  return streams;
}

/** Puts a text into every stream and bucket, as a body and as a header. Whoever works on their messages has to be gone. */
export async function plantInStreams(bus: Bus, text: string): Promise<void> {
  const header = headers();
  header.set('planted', encodeURIComponent(text));
  for await (const { config } of bus.jsm.streams.list()) {
    const subject = (config.subjects[0] ?? '').replace(/>$/, 'planted').replaceAll('*', 'planted');
    await bus.js.publish(subject, text, { headers: header });
  }
}
