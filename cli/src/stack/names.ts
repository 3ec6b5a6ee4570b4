export const INFRASTRUCTURE = ['nats', 'postgres'] as const;
export const SERVICES = ['gateway', 'exporter', 'converter', 'notifier'] as const;
export type ServiceName = (typeof SERVICES)[number];
export const ALL = [...INFRASTRUCTURE, ...SERVICES] as const;
