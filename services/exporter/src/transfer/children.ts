/** The part of the runtime's guarded processes that a transfer needs: children that die with this process. */
export interface Children {
  spawn(
    command: string,
    args: readonly string[],
    options?: { signal?: AbortSignal; onLine?: (line: string, stream: 'stdout' | 'stderr') => void },
  ): { readonly exited: Promise<{ code: number | null }>; kill(): Promise<void> };
  /** @throws JobError CHILD_FAILED */
  run(
    command: string,
    args: readonly string[],
    options?: { signal?: AbortSignal; timeoutMs?: number },
  ): Promise<{ stdout: string; stderr: string }>;
}
