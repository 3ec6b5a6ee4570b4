import {
  cleanupCompleted,
  cleanupFailed,
  conversionCompleted,
  conversionFailed,
  conversionStarted,
  exportCompleted,
  exportFailed,
  exportStarted,
  importCompleted,
  importFailed,
  verifyCompleted,
  verifyFailed,
  type CleanupCompleted,
  type CleanupFailed,
  type ConversionCompleted,
  type ConversionFailed,
  type ConversionStarted,
  type ExportCompleted,
  type ExportFailed,
  type ExportStarted,
  type ImportCompleted,
  type ImportFailed,
  type VerifyCompleted,
  type VerifyFailed,
} from '@hyper2kvm/contracts';
import { FactContext, OnFact } from '@hyper2kvm/runtime';
import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { ProcessManager } from './process-manager.js';

/** The facts of workers, handed to the process manager. */
@Controller()
export class FactsController {
  constructor(private readonly manager: ProcessManager) {}

  @OnFact(exportStarted)
  exportStarted(@Payload() data: ExportStarted, @Ctx() context: FactContext): Promise<void> {
    return this.manager.apply({ name: 'export.started', data }, context);
  }

  @OnFact(exportCompleted)
  exportCompleted(@Payload() data: ExportCompleted, @Ctx() context: FactContext): Promise<void> {
    return this.manager.apply({ name: 'export.completed', data }, context);
  }

  @OnFact(exportFailed)
  exportFailed(@Payload() data: ExportFailed, @Ctx() context: FactContext): Promise<void> {
    return this.manager.apply({ name: 'export.failed', data }, context);
  }

  @OnFact(conversionStarted)
  conversionStarted(@Payload() data: ConversionStarted, @Ctx() context: FactContext): Promise<void> {
    return this.manager.apply({ name: 'conversion.started', data }, context);
  }

  @OnFact(conversionCompleted)
  conversionCompleted(@Payload() data: ConversionCompleted, @Ctx() context: FactContext): Promise<void> {
    return this.manager.apply({ name: 'conversion.completed', data }, context);
  }

  @OnFact(conversionFailed)
  conversionFailed(@Payload() data: ConversionFailed, @Ctx() context: FactContext): Promise<void> {
    return this.manager.apply({ name: 'conversion.failed', data }, context);
  }

  @OnFact(cleanupCompleted)
  cleanupCompleted(@Payload() data: CleanupCompleted, @Ctx() context: FactContext): Promise<void> {
    return this.manager.apply({ name: 'cleanup.completed', data }, context);
  }

  @OnFact(cleanupFailed)
  cleanupFailed(@Payload() data: CleanupFailed, @Ctx() context: FactContext): Promise<void> {
    return this.manager.apply({ name: 'cleanup.failed', data }, context);
  }

  @OnFact(verifyCompleted)
  verifyCompleted(@Payload() data: VerifyCompleted, @Ctx() context: FactContext): Promise<void> {
    return this.manager.apply({ name: 'verify.completed', data }, context);
  }

  @OnFact(verifyFailed)
  verifyFailed(@Payload() data: VerifyFailed, @Ctx() context: FactContext): Promise<void> {
    return this.manager.apply({ name: 'verify.failed', data }, context);
  }

  @OnFact(importCompleted)
  importCompleted(@Payload() data: ImportCompleted, @Ctx() context: FactContext): Promise<void> {
    return this.manager.apply({ name: 'import.completed', data }, context);
  }

  @OnFact(importFailed)
  importFailed(@Payload() data: ImportFailed, @Ctx() context: FactContext): Promise<void> {
    return this.manager.apply({ name: 'import.failed', data }, context);
  }
}
