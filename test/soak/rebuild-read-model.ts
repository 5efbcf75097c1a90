/** A process that makes the read model anew beside the live one and switches, as an operator's rebuild does. Takes the data directory. */
import { join } from 'node:path';
import { Upcasters } from '@holdfast/event-store';
import { ledgerEventSchemas } from '@holdfast/ledger';
import { ledgerProjection } from '@holdfast/ledger-service';
import { DirectoryFeed, SqliteReadModelStore, rebuildProjection } from '@holdfast/projections';

const dataDirectory = process.argv[2] ?? '';
const feed = new DirectoryFeed(join(dataDirectory, 'wal'), {
  archiveDirectory: join(dataDirectory, 'archive'),
  upcasters: new Upcasters(ledgerEventSchemas),
});
const directory = join(dataDirectory, 'read-models');
const store = SqliteReadModelStore.open({ directory, projection: ledgerProjection });
await rebuildProjection({ feed, store, signal: new AbortController().signal });
await store.close();
await feed.close();
