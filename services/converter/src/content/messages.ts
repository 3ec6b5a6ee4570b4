import type { Content } from '@hyper2kvm/runtime/content';

/** What a reading thread is given. Plain data. */
export interface ReadTask {
  readonly socketPath: string;
  readonly capacityBytes: number;
  readonly segmentBytes: number;
}

export type FromThread =
  | { readonly kind: 'progress'; readonly doneBytes: number }
  | { readonly kind: 'content'; readonly content: Content }
  | { readonly kind: 'failed'; readonly message: string };
