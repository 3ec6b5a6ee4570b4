#!/usr/bin/env node
import { execute, settings } from '@oclif/core';

// Only what was built runs, also where NODE_ENV says development or test: oclif would look for a TypeScript loader there.
settings.enableAutoTranspile = false;
await execute({ dir: import.meta.url });
