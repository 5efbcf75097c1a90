import { setTimeout as sleep } from 'node:timers/promises';
import { DirectoryFeed } from '../feed/directory-feed.js';
import { ProjectionRunner } from '../runner/projection-runner.js';
import { PostgresReadModelStore } from '../store/postgres/postgres-read-model-store.js';
import { postgresTally } from './postgres-tally.js';

/** A worker process that follows a log into PostgreSQL until it is killed. Says `holding` when it has the lease. Most of its time it is within a transaction. */
const [directory = '', url = '', schema = '', leaseMillis = ''] = process.argv.slice(2);
const APPLYING_MILLIS = 20;

const projection = postgresTally();
const store = PostgresReadModelStore.open({
  ...{ url, schema, leaseMillis: Number(leaseMillis) },
  projection: {
    ...projection,
    async apply(events, transaction) {
      await projection.apply(events, transaction);
      await sleep(APPLYING_MILLIS);
    },
  },
});
const runner = new ProjectionRunner({
  feed: new DirectoryFeed(directory),
  store,
  owner: `child ${process.pid}`,
  batchEvents: 20,
  onState: ({ generation }) => {
    if (generation !== undefined) process.stdout.write('holding\n');
  },
});
await runner.run(new AbortController().signal);
