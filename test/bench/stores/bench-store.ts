/** What a contender must do: every append is durable when its promise resolves. */
export interface BenchStore {
  /** `concurrency`: how many appenders wait at a time, for a store that has to group by hand. */
  append(payload: Buffer, concurrency: number): Promise<unknown>;
  /** All or nothing. */
  appendBatch(payloads: readonly Buffer[]): Promise<unknown>;
  close(): Promise<void>;
}

export type OpenStore = (directory: string) => Promise<BenchStore>;
