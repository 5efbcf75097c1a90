import { type Batch, type BatchSink, type KnownAccounts, type Posted, divided } from './batch.js';

/** Takes every batch and posts nothing: what is left is what the mapping alone refuses. */
export class CheckSink implements BatchSink {
  constructor(private readonly known: KnownAccounts) {}

  confirms(): Promise<boolean> {
    return Promise.resolve(false);
  }

  post({ rows, accounts }: Batch): Promise<Posted> {
    for (const [id, { command }] of accounts) this.known.add(id, command);
    const { postable, rejects } = divided(rows, (account) => this.known.misfit(account));
    this.known.trim();
    const counts = { posted: postable.length, repeated: 0, unknown: 0 };
    return Promise.resolve({ ...counts, accountsOpened: accounts.size, rejects });
  }
}
