import { Health, Status } from '@hyper2kvm/contracts';
import type { Route } from '../route.js';

/** What lies at the root. */
export const SYSTEM_ROUTES = {
  health: {
    method: 'GET',
    path: '/health',
    summary: 'Is the product able to work? 503 when the gateway itself is not.',
    tag: 'system',
    status: 200,
    answer: Health,
    others: { 503: Health },
    errors: [],
    open: true,
  },
  status: {
    method: 'GET',
    path: '/status',
    summary: 'Jobs by status, queues and workers',
    tag: 'system',
    status: 200,
    answer: Status,
    errors: [],
  },
  metrics: {
    method: 'GET',
    path: '/metrics',
    summary: 'Figures for Prometheus',
    tag: 'system',
    status: 200,
    answer: 'text/plain',
    errors: [],
  },
  openapi: {
    method: 'GET',
    path: '/openapi.json',
    summary: 'This document',
    tag: 'system',
    status: 200,
    answer: 'application/json',
    errors: [],
    open: true,
  },
} as const satisfies Record<string, Route>;
