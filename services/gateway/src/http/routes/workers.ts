import { Token, Worker, WorkerList, WorkerPatch } from '@hyper2kvm/contracts';
import type { Route } from '../route.js';

const id = { id: Token };

/** Running workers under /api/v1. */
export const WORKERS_ROUTES = {
  patchWorker: {
    method: 'PATCH',
    path: '/api/v1/workers/{id}',
    summary: 'Limit the bandwidth of all exports of a worker together, or lift the limit',
    tag: 'workers',
    params: id,
    body: WorkerPatch,
    status: 200,
    answer: Worker,
    errors: ['BAD_REQUEST', 'NOT_FOUND'],
  },
  workers: {
    method: 'GET',
    path: '/api/v1/workers',
    summary: 'Workers whose heartbeat is fresh',
    tag: 'workers',
    status: 200,
    answer: WorkerList,
    errors: [],
  },
  worker: {
    method: 'GET',
    path: '/api/v1/workers/{id}',
    summary: 'One worker',
    tag: 'workers',
    params: id,
    status: 200,
    answer: Worker,
    errors: ['BAD_REQUEST', 'NOT_FOUND'],
  },
  pauseWorker: {
    method: 'POST',
    path: '/api/v1/workers/{id}/pause',
    summary: 'Have a worker take nothing new; what it has goes on',
    tag: 'workers',
    params: id,
    status: 202,
    answer: Worker,
    errors: ['BAD_REQUEST', 'NOT_FOUND'],
  },
  resumeWorker: {
    method: 'POST',
    path: '/api/v1/workers/{id}/resume',
    summary: 'Have a paused or drained worker take work again',
    tag: 'workers',
    params: id,
    status: 202,
    answer: Worker,
    errors: ['BAD_REQUEST', 'NOT_FOUND'],
  },
  drainWorker: {
    method: 'POST',
    path: '/api/v1/workers/{id}/drain',
    summary: 'Have a worker end what it has, before it is stopped or its host serviced',
    tag: 'workers',
    params: id,
    status: 202,
    answer: Worker,
    errors: ['BAD_REQUEST', 'NOT_FOUND'],
  },
} as const satisfies Record<string, Route>;
