import type { IncomingMessage } from 'node:http';

const requests = new WeakSet<IncomingMessage>();

/** Marks a request that came over the unix socket. A TCP peer that is gone has no address either, so that alone would not tell. */
export const markOverSocket = (request: IncomingMessage): void => void requests.add(request);
export const isOverSocket = (request: IncomingMessage): boolean => requests.has(request);
