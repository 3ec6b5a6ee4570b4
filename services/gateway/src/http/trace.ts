import { context, SpanStatusCode } from '@opentelemetry/api';
