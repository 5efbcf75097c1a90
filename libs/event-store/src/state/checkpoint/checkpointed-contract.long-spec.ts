import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WalOptions } from '@holdfast/wal';
import { describeEventLog } from '../../testing/event-log.contract.js';
import { WalEventLog } from '../../wal-event-log.js';

const WAL: WalOptions = {
  create: true,
  frameBytesMax: 8 * 1024 * 1024,
  segmentBytes: 16 * 1024 * 1024,
};

let foldings = 0;

describeEventLog('write-ahead log with state that is checkpointed all the time', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'event-state-'));
  return Promise.resolve({
    open: (options = {}) =>
      WalEventLog.open(join(directory, 'log'), {
        ...options,
        wal: WAL,
        state: options.state ?? {
          directory: join(directory, 'state'),
          checkpointEntries: 5,
          cacheEntries: 10,
          // The tests change the way of folding from one opening to the next, as a new program does.
          stateVersion: options.evolve || options.upcasters ? `${(foldings += 1)}` : '0',
        },
      }),
    dispose: async () => {
      rmSync(directory, { recursive: true });
      return Promise.resolve();
    },
  });
});
