import { Counter, Gauge, registry, Summary } from '@hyper2kvm/runtime';

/** Names as administrators of the predecessor know them. */
export const conversionsTotal = new Counter({
  name: 'hyper2kvm_conversions_total',
  help: 'Conversions that ended, by outcome',
  labelNames: ['status'],
  registers: [registry],
});

export const conversionDuration = new Summary({
  name: 'hyper2kvm_conversion_duration_seconds',
  help: 'Duration of successful conversions',
  percentiles: [0.5, 0.9, 0.99],
  registers: [registry],
});

export const activeConversions = new Gauge({
  name: 'hyper2kvm_active_conversions',
  help: 'Conversions that run now',
  registers: [registry],
});
