import type {
  VcenterConnection,
  VcenterConnectionList,
  VcenterConnectionRequest,
  VcenterConnectionUpdate,
  VcenterTest,
} from '@hyper2kvm/contracts';
import { Body, Controller, Param, Req } from '@nestjs/common';
import { callerOf, type AuthenticatedRequest } from '../http/caller.js';
import { Serve } from '../http/route.js';
import { VCENTERS_ROUTES as ROUTES } from '../http/routes/vcenters.js';
import { ZodPipe } from '../http/zod.pipe.js';
import { VcenterConnections } from './connections.js';

const Name = (): ParameterDecorator => Param('name', new ZodPipe(ROUTES.vcenter.params.name, 'name'));

@Controller()
export class VcentersController {
  constructor(private readonly connections: VcenterConnections) {}

  @Serve(ROUTES.vcenters)
  list(): Promise<VcenterConnectionList> {
    return this.connections.list();
  }

  @Serve(ROUTES.vcenter)
  get(@Name() name: string): Promise<VcenterConnection> {
    return this.connections.get(name);
  }

  @Serve(ROUTES.addVcenter)
  add(
    @Body(new ZodPipe(ROUTES.addVcenter.body)) body: VcenterConnectionRequest,
    @Req() request: AuthenticatedRequest,
  ): Promise<VcenterConnection> {
    return this.connections.add(body, callerOf(request));
  }

  @Serve(ROUTES.updateVcenter)
  update(
    @Name() name: string,
    @Body(new ZodPipe(ROUTES.updateVcenter.body)) body: VcenterConnectionUpdate,
  ): Promise<VcenterConnection> {
    return this.connections.update(name, body);
  }

  @Serve(ROUTES.removeVcenter)
  remove(@Name() name: string): Promise<void> {
    return this.connections.remove(name);
  }

  @Serve(ROUTES.testVcenter)
  test(@Name() name: string): Promise<VcenterTest> {
    return this.connections.test(name);
  }
}
