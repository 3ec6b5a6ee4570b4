import { listVms, type VmList, type VmListRequest } from '@hyper2kvm/contracts';
import { Bus } from '@hyper2kvm/runtime';
import { Injectable } from '@nestjs/common';
import { VcenterWatch } from '../system/vcenter-watch.js';
import { decodeOffset, encodeOffset } from './cursor.js';
import { VcenterSources } from '../vcenters/index.js';

/** What a vCenter has, as an exporter sees it. */
@Injectable()
export class InventoryService {
  constructor(
    private readonly bus: Bus,
    private readonly sources: VcenterSources,
    private readonly vcenter: VcenterWatch,
  ) {}

  /** @throws JobError of the vCenter (login, network), NO_WORKER, BAD_REQUEST */
  async vms({ vcenter, filter, cursor, limit }: VmListRequest): Promise<VmList> {
    const offset = cursor === undefined ? 0 : decodeOffset(cursor);
    const { source, connection } = await this.sources.of(vcenter);
    const { vms, total } = await this.vcenter.watch(
      source,
      connection,
      this.bus.request(listVms, { source, filter, offset, limit }),
    );
    const end = offset + vms.length;
    return { vms, total, next_cursor: vms.length > 0 && end < total ? encodeOffset(end) : null };
  }
}
