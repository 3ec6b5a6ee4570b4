import { VmList, VmListRequest } from '@hyper2kvm/contracts';
import type { Route } from '../route.js';
import { VCENTER_ERRORS } from './errors.js';

/** What there is to move. */
export const INVENTORY_ROUTES = {
  vms: {
    method: 'POST',
    path: '/api/v1/inventory/vms',
    summary: 'The VMs of a vCenter, by inventory path; a POST, because the password may be in it',
    tag: 'inventory',
    body: VmListRequest,
    status: 200,
    isQuestion: true,
    answer: VmList,
    errors: ['BAD_REQUEST', ...VCENTER_ERRORS, 'NO_WORKER'],
  },
} as const satisfies Record<string, Route>;
