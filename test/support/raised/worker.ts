/** A worker by itself: keeps the tables of one version up, beside a service of another. Takes the version and the data directory. */
import { join } from 'node:path';
import type { Feature } from '@holdfast/nestjs/feature';
import { defined } from '@holdfast/kernel';
import { DirectoryFeed, ProjectionRunner, SqliteReadModelStore } from '@holdfast/projections';

const [version = '', directory = ''] = process.argv.slice(2);
const { default: notes } = (await import(`./notes-${version}.js`)) as {
  readonly default: Feature;
};
const projection = defined(notes.projections?.[0], 'the projection');
const stopping = new AbortController();
process.once('SIGTERM', () => stopping.abort());
const feed = new DirectoryFeed(join(directory, 'wal'));
const store = SqliteReadModelStore.open({ directory: join(directory, 'read-models'), projection });
await new ProjectionRunner({ feed, store }).run(stopping.signal);
await feed.close();
await store.close();
