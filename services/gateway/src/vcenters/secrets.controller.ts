import type { SecretsRotated } from '@hyper2kvm/contracts';
import { Controller } from '@nestjs/common';
import { Serve } from '../http/route.js';
import { VCENTERS_ROUTES as ROUTES } from '../http/routes/vcenters.js';
import { SecretRotation } from './rotation/rotation.js';

@Controller()
export class SecretsController {
  constructor(private readonly rotation: SecretRotation) {}

  @Serve(ROUTES.rotateSecrets)
  rotate(): Promise<SecretsRotated> {
    return this.rotation.rotate();
  }
}
