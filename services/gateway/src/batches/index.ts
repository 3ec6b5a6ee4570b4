import type { Provider, Type } from '@nestjs/common';
import { BatchActions } from './actions.js';
import { Admission } from './admission.js';
import { BatchesController } from './batches.controller.js';
import { CreateBatch } from './create.service.js';
import { BatchQueries } from './queries.js';
import { BatchReports } from './report.js';

export { Admission } from './admission.js';
export { admissionReason } from './reason.js';

export const BATCHES_CONTROLLERS: Type[] = [BatchesController];
export const BATCHES_PROVIDERS: Provider[] = [BatchQueries, Admission, CreateBatch, BatchActions, BatchReports];
