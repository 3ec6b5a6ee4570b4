import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import {
  conversionStarted,
  JobError,
  LuksKey,
  type ConversionRequested,
  type DiskInspection,
  type ImportRequested,
  type inspectDisks,
  type VerifyRequested,
} from '@hyper2kvm/contracts';
import { CONFIG, InjectConfig, Sealer, type TargetsConfig, type WorkContext } from '@hyper2kvm/runtime';
import { z } from 'zod';
import { ConverterConfig, toSettings } from './config.js';
import { convert, type Converted } from './convert.js';
import { removeErrorFile, writeErrorFile } from './error-file.js';
import { accelerator } from './guest/index.js';
import { Inspections } from './inspection/index.js';
import { whileActive } from './metrics.js';
import { checkTarget, importOutput, type Imported, type TargetAnswer, type TargetQuestion } from './targets/index.js';
import { verify, type Verified } from './verify/index.js';
import type { ConverterSettings } from './work.js';

export type InspectQuestion = z.output<typeof inspectDisks.request>;

/** Between the messages and the engine: says that it started, writes failures down. */
@Injectable()
export class ConverterService implements OnModuleInit {
  readonly #settings: ConverterSettings;
  readonly #inspections: Inspections;

  constructor(
    @InjectConfig() private readonly config: ConverterConfig,
    @Inject(CONFIG) sections: { readonly targets: TargetsConfig },
    private readonly sealer: Sealer,
  ) {
    this.#settings = toSettings(config, sections.targets);
    this.#inspections = new Inspections(this.#settings);
  }

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
    try {
      const request = { ...data, luksKeys: this.#luksKeys(data) };
      const converted = await whileActive(() => convert(request, this.#settings, work));
      await removeErrorFile(data, this.#settings).catch((error: unknown) => tell(work, 'removed', error));
      return converted;
    } catch (error) {
      if (work.signal.aborted) throw error;
      throw error instanceof JobError ? await this.#writtenDown(error, data, work) : error;
    }
  }

  /** The same failure, with its file where it could be written. */
  async #writtenDown(error: JobError, data: ConversionRequested, work: WorkContext): Promise<JobError> {
    const { code, message, step, retryable } = error;
    try {
      const errorFile = await writeErrorFile(data, this.#settings, error);
      return new JobError(code, message, {
        cause: error,
        retryable,
        errorFile,
        ...(step === undefined ? {} : { step }),
      });
    } catch (failure) {
      tell(work, 'written', failure);
      return error;
    }
  }

  #luksKeys({ options }: Pick<ConversionRequested, 'options'>): LuksKey[] {
    if (options.luks_keys_sealed === undefined) return [];
    return z.array(LuksKey).parse(JSON.parse(this.sealer.open(options.luks_keys_sealed)));
  }

  async verify(data: VerifyRequested, work: WorkContext): Promise<Verified> {
    return verify(data.folder, this.#settings, work);
  }

  async import(data: ImportRequested, work: WorkContext): Promise<Imported> {
    return importOutput(data, this.#settings, work);
  }

  async inspectDisks(question: InspectQuestion): Promise<DiskInspection> {
    return this.#inspections.answer({ ...question, luksKeys: this.#luksKeys(question) });
  }

  async checkTarget(question: TargetQuestion): Promise<TargetAnswer> {
    return checkTarget(question, this.#settings, this.config.pools, new AbortController().signal);
  }
}

const tell = (work: WorkContext, done: string, error: unknown): void =>
  work.log(
    'warn',
    `The file of the error could not be ${done}: ${error instanceof Error ? error.message : String(error)}`,
  );
