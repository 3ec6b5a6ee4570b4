import { consumerOpts, Events, type JetStreamClient, type JsMsg, type NatsConnection } from 'nats';

const RETRY_MS = 500;

/** Calls back each time the connection was lost and is there again, until the returned function is called. */
export function onReconnect(connection: NatsConnection, callback: () => void): () => void {
  const statuses = connection.status() as ReturnType<NatsConnection['status']> & { stop(): void };
  void (async () => {
    for await (const { type } of statuses) if (type === Events.Reconnect) callback();
  })();
  return () => statuses.stop();
}

/**
 * The messages of a subject after a place in its stream, without gap or duplicate, until the signal ends it.
 *
 * The client's ordered consumer alone notices a restart of the server by missed heartbeats, more than ten seconds late, and
 * begins at the start of the stream when nothing had come before.
 */
export async function* followSubject(
  connection: NatsConnection,
  js: JetStreamClient,
  subject: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<JsMsg> {
  let place = after;
  for (let first = true; !signal.aborted && !connection.isClosed(); first = false) {
    let messages;
    try {
      messages = await js.subscribe(
        subject,
        consumerOpts()
          .orderedConsumer()
          .startSequence(place + 1),
      );
    } catch (error) {
      if (first) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      continue;
    }
    const end = (): void => messages.unsubscribe();
    const forget = onReconnect(connection, end);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    try {
      for await (const message of messages) {
        if (signal.aborted) return;
        if (message.seq <= place) continue;
        place = message.seq;
        yield message;
      }
    } catch (error) {
      // The client gave up making its consumer anew; what was delivered is known.
      if (connection.isClosed()) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    } finally {
      forget();
      signal.removeEventListener('abort', end);
      end();
    }
  }
}
