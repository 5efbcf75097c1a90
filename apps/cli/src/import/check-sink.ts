import type { Batch, BatchSink, KnownAccounts, Posted } from './batch.js';

/** Takes every batch and posts nothing: what is left is what the mapping alone refuses. */
export class CheckSink implements BatchSink {
  constructor(private readonly known: KnownAccounts) {}

  confirms(): Promise<boolean> {
    return Promise.resolve(false);
  }

  post({ rows, accounts }: Batch): Promise<Posted> {
    for (const id of accounts.keys()) this.known.add(id);
    const counts = { posted: rows.length, repeated: 0, unknown: 0 };
    return Promise.resolve({ ...counts, accountsOpened: accounts.size, rejects: [] });
  }
}
