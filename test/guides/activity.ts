import { Upcasters } from '@holdfast/event-store';
import { ledgerEventOf, ledgerEventSchemas } from '@holdfast/ledger';
import {
  DirectoryFeed,
  ProjectionRunner,
  type SqlProjection,
  SqliteReadModel,
  SqliteReadModelStore,
  type SqliteTransaction,
} from '@holdfast/projections';

/** How many transfers each account had, by day. */
export const activity: SqlProjection<SqliteTransaction> = {
  name: 'activity',
  version: 1,
  handles: ['TransferPosted'],
  tables: [
    `CREATE TABLE activity (
      ledger TEXT NOT NULL,
      account TEXT NOT NULL,
      day TEXT NOT NULL,
      transfers INTEGER NOT NULL,
      PRIMARY KEY (ledger, account, day)
    ) STRICT, WITHOUT ROWID`,
  ],
  apply(events, transaction) {
    const count = transaction.prepare(`
      INSERT INTO activity (ledger, account, day, transfers) VALUES (?, ?, ?, 1)
      ON CONFLICT DO UPDATE SET transfers = transfers + 1
    `);
    for (const event of events.map(ledgerEventOf)) {
      if (event.type !== 'TransferPosted') continue;
      const { ledger, legs, effectiveAt } = event.data;
      const accounts = new Set(legs.map(({ accountId }) => accountId));
      for (const account of accounts) count.run(ledger, account, effectiveAt.slice(0, 10));
    }
  },
};

/** Follows the log in a data directory until `signal`. Rejects when the projection cannot go on. */
export async function followActivity(data: string, signal: AbortSignal): Promise<void> {
  const feed = new DirectoryFeed(`${data}/wal`, {
    upcasters: new Upcasters(ledgerEventSchemas),
    archiveDirectory: `${data}/archive`,
  });
  const store = SqliteReadModelStore.open({
    directory: `${data}/read-models`,
    projection: activity,
  });
  try {
    await new ProjectionRunner({ feed, store }).run(signal);
  } finally {
    await feed.close();
    await store.close();
  }
}

interface Activity {
  readonly account: string;
  readonly transfers: number;
}

/** The accounts with most transfers on a day, and the position of the log that this is true of. */
export function busiestAccounts(data: string, ledger: string, day: string) {
  const tables = SqliteReadModel.open({ directory: `${data}/read-models`, projection: activity });
  try {
    return tables.read((snapshot) => {
      const busiest = snapshot.prepare<[string, string], Activity>(`
        SELECT account, transfers FROM activity WHERE ledger = ? AND day = ?
        ORDER BY transfers DESC, account LIMIT 10
      `);
      return { position: snapshot.position, accounts: busiest.all(ledger, day) };
    });
  } finally {
    tables.close();
  }
}
