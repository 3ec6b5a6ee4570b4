import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { createTransport } from 'nodemailer';
import { smtpPort, startTls, type SmtpConfig } from '../config.js';

/** At the same time. Providers allow few. */
export const CONNECTIONS = 4;
/** Limits of a conversation with the server, in milliseconds. They also bound how long a stop of the service waits. */
export interface SmtpLimits {
  readonly connectMs: number;
  readonly silenceMs: number;
  /** A connection without work is closed, before a server does. */
  readonly idleMs: number;
}
export const SMTP_LIMITS: SmtpLimits = { connectMs: 8_000, silenceMs: 20_000, idleMs: 20_000 };
/** A connection that the server had closed meanwhile is replaced, before anything of the message was sent. */
const NEW_CONNECTIONS = 2;

/** A pool of connections, made when there is something to send. */
export function openPool(smtp: SmtpConfig, limits: SmtpLimits) {
  const starttls = startTls(smtp);
  const { connectMs, silenceMs, idleMs } = limits;
  return createTransport({
    pool: true,
    maxConnections: CONNECTIONS,
    maxRequeues: NEW_CONNECTIONS,
    idleTimeout: idleMs,
    host: smtp.host,
    port: smtpPort(smtp),
    secure: smtp.secure,
    requireTLS: !smtp.secure && starttls === 'required',
    ignoreTLS: !smtp.secure && starttls === 'never',
    ...(smtp.ca_file === undefined ? {} : { tls: { ca: [...rootCertificates, readFileSync(smtp.ca_file, 'utf8')] } }),
    ...(smtp.user === undefined ? {} : { auth: { user: smtp.user, pass: smtp.password } }),
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    dnsTimeout: connectMs,
    socketTimeout: silenceMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}
