import type { VmList, VmListRequest } from '@hyper2kvm/contracts';
import { Body, Controller } from '@nestjs/common';
import { InventoryService } from '../jobs/index.js';
import { Serve } from './route.js';
import { ROUTES } from './routes.js';
import { ZodPipe } from './zod.pipe.js';

/** What there is to move. */
@Controller()
export class InventoryController {
  constructor(private readonly inventory: InventoryService) {}

  @Serve(ROUTES.vms)
  vms(@Body(new ZodPipe(ROUTES.vms.body)) body: VmListRequest): Promise<VmList> {
    return this.inventory.vms(body);
  }
}
