import { expect, it } from '@jest/globals';
import { DirectoryFeed } from '../feed/directory-feed.js';
import type { ReadModelStore } from '../read-model-store.js';
import { tally } from '../testing/tally.js';
import { ProjectionRunner } from './projection-runner.js';

it.each([
  ['a bug', new TypeError('this is busy'), 'PROJECTION_FAILED', 'tally cannot go on: this is busy'],
  ['damage of the log', Object.assign(new Error('bits'), { code: 'WAL_CORRUPT' }), 'WAL_CORRUPT'],
])('what ends a projection says whom it concerns: %s', async (_, error, code, message = '') => {
  const store: Partial<ReadModelStore<never>> = {
    projection: tally(),
    acquire: () => Promise.reject(error),
  };
  const feed = new DirectoryFeed('nowhere');
  const runner = new ProjectionRunner({ feed, store: store as ReadModelStore<never> });
  await expect(runner.run(new AbortController().signal)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message),
  });
  expect([runner.status.state, runner.failure]).toMatchObject(['failed', { code }]);
  await feed.close();
});
