import { RetryPolicy } from '@hyper2kvm/contracts';
import { CONFIG, TargetsConfig } from '@hyper2kvm/runtime';
import { Inject } from '@nestjs/common';
import { problemOf, problemOfRetryable } from './jobs/retry-classes.js';
import { z } from 'zod';

const LOOPBACK = /^(127(\.\d{1,3}){3}|localhost|\[::1\])$/;
export const isLoopback = (host: string): boolean => LOOPBACK.test(host);

/** `host:port`, an IPv6 host in brackets. */
const Listen = z.string().regex(/^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/, 'host:port, for example 127.0.0.1:8080');

const Auth = z.strictObject({
  enabled: z.boolean().default(false),
  /** The first token, `config`, of an admin: it makes the others. */
  token: z.string().min(16, 'a token of 16 characters or more').optional(),
});

/** Counted by each gateway; 0 is no limit. */
const RateLimit = z.strictObject({
  /** Of each caller. */
  writes_per_minute: z.number().int().min(0).default(600),
  /** From each address. */
  failed_logins_per_minute: z.number().int().min(0).default(10),
});

const Tls = z.strictObject({ cert_file: z.string(), key_file: z.string() });

const Database = z.strictObject({
  /** postgres://user:password@host:port/name; or its parts. */
  url: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'postgres://user:password@host:port/name')
    .optional(),
  host: z.string().optional(),
  port: z.number().int().min(1).max(65_535).optional(),
  user: z.string().optional(),
  password: z.string().optional(),
  name: z.string().optional(),
  pool_size: z.number().int().min(4).max(200).default(20),
});

/** Disks that are exported at once: more of them make a host or a vCenter slow for everybody. */
const ExportLimits = z.strictObject({
  disks_per_host: z.number().int().min(1).max(1000).default(4),
  disks_per_vcenter: z.number().int().min(1).max(10_000).default(32),
});

const Days = z.number().int().min(1).max(36_500);

/**
 * What goes with time; null keeps it. The folders with the results of conversions are never touched. Unless the converters keep
 * the exported images (`converter.archive_processed`, or `cleanup_source: false`), those of completed jobs are gone already.
 */
const Retention = z.strictObject({
  /** Carry it out once a day. Without it `hyperctl retention` shows what would go, and an admin may have it go. */
  enabled: z.boolean().default(false),
  /** After the end of a job: its row, history and log. A job whose exported images stand, or could not be cleared away, stays. */
  jobs_days: Days.nullable().default(90),
  /** After the end of a job that failed, or whose converter keeps them: the exported images. A retry exports anew. */
  artifacts_days: Days.nullable().default(30),
  audit_days: Days.nullable().default(365),
  /** What was sent and received already, and answers kept for Idempotency-Keys; always carried out. */
  messages_days: Days.default(7),
});

/** The gateway's own section. */
export const GatewayConfig = z
  .strictObject({
    listen: Listen.default('127.0.0.1:8080'),
    /** True where a proxy in front does TLS. */
    behind_proxy: z.boolean().default(false),
    tls: Tls.optional(),
    /** A unix socket besides; who may open it is an admin. */
    socket: z
      .string()
      .startsWith('/', 'an absolute path, for example /run/hyper2kvm/gateway.sock')
      // sun_path of Linux, with its end.
      .max(107, 'a path of 107 characters at most')
      .optional(),
    /** Members may open the socket; default: hyper2kvm, where there is such a group. */
    socket_group: z.string().min(1).optional(),
    api: z.strictObject({ auth: Auth.prefault({}), rate_limit: RateLimit.prefault({}) }).prefault({}),
    database: Database.prefault({}),
    export_limits: ExportLimits.prefault({}),
    retention: Retention.prefault({}),
    /** After so long without contact an exporter asks a vCenter whose login is known, for /health; 0 is never. */
    vcenter_check_seconds: z.number().min(0).default(300),
    shutdown_grace_seconds: z.number().min(0).default(5),
  })
  .superRefine((gateway, context) => {
    const { enabled, token } = gateway.api.auth;
    if (enabled && token === undefined && gateway.socket === undefined) {
      context.addIssue({
        code: 'custom',
        path: ['api', 'auth', 'token'],
        message: 'needed when enabled is true, unless gateway.socket lets an admin in',
      });
    }
    const { host } = splitListen(gateway.listen);
    if (isLoopback(host)) return;
    if (!gateway.api.auth.enabled) {
      context.addIssue({
        code: 'custom',
        path: ['listen'],
        message: `${host} is reached from other machines: set gateway.api.auth.enabled and a token first`,
      });
    }
    if (gateway.tls === undefined && !gateway.behind_proxy) {
      context.addIssue({
        code: 'custom',
        path: ['listen'],
        message: `${host} is reached from other machines: give gateway.tls, or behind_proxy: true where a proxy does TLS`,
      });
    }
  });
export type GatewayConfig = z.infer<typeof GatewayConfig>;

/** The vCenter used where a request names none (the seed's `vsphere`). */
export const VsphereConfig = z.strictObject({
  server: z.string().min(1).optional(),
  username: z.string().min(1).optional(),
  password: z.string().min(1).optional(),
  /** `username:` and `password:` in a file of mode 0600. */
  credentials_file: z.string().optional(),
  datacenter: z.string().min(1).optional(),
  ca_file: z.string().optional(),
  thumbprint: z.string().optional(),
  insecure: z.boolean().optional(),
});
export type VsphereConfig = z.infer<typeof VsphereConfig>;

const ErrorClass = (problem: (entry: string) => string | undefined) =>
  z.string().superRefine((entry, context) => {
    const message = problem(entry);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

/** Each error code says itself whether another attempt can help; the lists (codes, or the seed's phrases) overrule it. */
export const RetryPolicyConfig = RetryPolicy.extend({
  retryable_errors: z.array(ErrorClass(problemOfRetryable)).optional(),
  permanent_errors: z.array(ErrorClass(problemOf)).optional(),
});

/** The seed's `conversion`: what a request that says nothing means. */
export const ConversionConfig = z.strictObject({
  auto_convert: z.boolean().default(true),
  /** The converters' (`converter.cleanup_source`): without meaning here, accepted with a notice. */
  cleanup_source: z.boolean().optional(),
  /** Queue folder and socket of the former daemon: without meaning, accepted with a notice. */
  python_daemon: z.record(z.string(), z.unknown()).optional(),
});
export type ConversionConfig = z.infer<typeof ConversionConfig>;

/** Lines for the log about keys that do nothing. */
export function notices(config: Sections): string[] {
  const { conversion } = config;
  return [
    ...(conversion.python_daemon === undefined
      ? []
      : ['conversion.python_daemon has no meaning any more: converters are reached over NATS']),
    ...(conversion.cleanup_source !== undefined
      ? ['conversion.cleanup_source has no effect here: it is converter.cleanup_source now']
      : []),
  ];
}

export const SECTIONS = {
  gateway: GatewayConfig.prefault({}),
  vsphere: VsphereConfig.prefault({}),
  conversion: ConversionConfig.prefault({}),
  retry_policy: RetryPolicyConfig.prefault({}),
  targets: TargetsConfig,
};
export type Sections = { [Name in keyof typeof SECTIONS]: z.infer<(typeof SECTIONS)[Name]> };

/** Injects all sections that the gateway reads. */
export const InjectSections = (): ParameterDecorator => Inject(CONFIG);

export function splitListen(listen: string): { host: string; port: number } {
  const colon = listen.lastIndexOf(':');
  return { host: listen.slice(0, colon), port: Number(listen.slice(colon + 1)) };
}
