import { DirectoryFeed } from '../feed/directory-feed.js';
import { ProjectionRunner } from '../runner/projection-runner.js';
import { SqliteReadModelStore } from '../store/sqlite/sqlite-read-model-store.js';
import { tally } from './tally.js';

/** A worker process whose projection may be at fault, until it is killed. Says `holding` when it has the lease. */
const [directory = '', readModels = '', fault = ''] = process.argv.slice(2);

const faulty = tally();
const isMended = fault === 'mended';
const store = SqliteReadModelStore.open({
  directory: readModels,
  projection: {
    ...faulty,
    apply: (events, transaction) =>
      faulty.apply(
        isMended ? events.map((one) => ({ ...one, data: { ...one.data, poison: false } })) : events,
        transaction,
      ),
  },
});
const runner = new ProjectionRunner({
  feed: new DirectoryFeed(directory, { heartbeatMillis: 20 }),
  store,
  batchEvents: 20,
  badEvents: { kind: 'quarantine', attempts: 2 },
  onState: ({ generation }) => {
    if (generation !== undefined) process.stdout.write('holding\n');
  },
});
await runner.run(new AbortController().signal);
