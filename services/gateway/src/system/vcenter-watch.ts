import { JobError, type Health } from '@hyper2kvm/contracts';
import { Injectable } from '@nestjs/common';

/** How the last question to a vCenter went: all that the gateway, which never talks to one itself, can truly say. */
@Injectable()
export class VcenterWatch {
  #state: Health['vsphere_connection'] = 'unknown';

  get state(): Health['vsphere_connection'] {
    return this.#state;
  }

  async watch<T>(question: Promise<T>): Promise<T> {
    try {
      const answer = await question;
      this.#state = 'ok';
      return answer;
    } catch (error) {
      const code = error instanceof JobError ? error.code : undefined;
      if (code === 'VCENTER_UNREACHABLE' || code === 'VCENTER_LOGIN' || code === 'VCENTER_TLS') this.#state = 'failed';
      else if (code?.startsWith('VM_') === true) this.#state = 'ok';
      throw error;
    }
  }
}
