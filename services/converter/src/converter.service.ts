import { Injectable, type OnModuleInit } from '@nestjs/common';
import { conversionStarted, LuksKey, type ConversionRequested, type VerifyRequested } from '@hyper2kvm/contracts';
import { InjectConfig, Sealer, type WorkContext } from '@hyper2kvm/runtime';
import { z } from 'zod';
import { ConverterConfig, toSettings } from './config.js';
import { convert, type Converted } from './convert.js';
import { accelerator } from './guest/index.js';
import { verify, type Verified } from './verify/index.js';
import { activeConversions, conversionDuration, conversionsTotal } from './metrics.js';

/** Between the messages and the engine: says that it started, counts. */
@Injectable()
export class ConverterService implements OnModuleInit {
  constructor(
    @InjectConfig() private readonly config: ConverterConfig,
    private readonly sealer: Sealer,
  ) {}

  /** The probe takes up to 8 s where KVM hangs: no job should have to wait for it. */
  onModuleInit(): void {
    void accelerator();
  }

  async convert(data: ConversionRequested, work: WorkContext): Promise<Converted> {
    await work.publish(conversionStarted, {
      job_id: work.jobId,
      attempt: work.attempt,
      worker: work.workerId,
      started_at: new Date().toISOString(),
    });
    activeConversions.inc();
    try {
      const converted = await convert({ ...data, luksKeys: this.#luksKeys(data) }, toSettings(this.config), work);
      conversionsTotal.inc({ status: 'success' });
      conversionDuration.observe(converted.duration_seconds);
      return converted;
    } catch (error) {
      if (!work.signal.aborted) conversionsTotal.inc({ status: 'failed' });
      throw error;
    } finally {
      activeConversions.dec();
    }
  }

  #luksKeys({ options }: ConversionRequested): LuksKey[] {
    if (options.luks_keys_sealed === undefined) return [];
    return z.array(LuksKey).parse(JSON.parse(this.sealer.open(options.luks_keys_sealed)));
  }

  async verify(data: VerifyRequested, work: WorkContext): Promise<Verified> {
    return verify(data.folder, toSettings(this.config), work);
  }
}
