import type { RetentionPolicy, WalEventLog } from '@holdfast/event-store';
import { expect, it } from '@jest/globals';
import { LogOperations, type LogOperationsOptions } from './log-operations.js';
import { RecordedLog } from './testing/recorded-log.js';

const retention = {
  policy: 'keep-all' as RetentionPolicy,
  ...{ livePositionsMin: 0, liveMinutesMin: 0, intervalSeconds: 1 },
};

it.each<[string, Partial<LogOperationsOptions>]>([
  ['retention.policy', { retention: { ...retention, policy: 'snapshot' as RetentionPolicy } }],
  ['retention.policy', { retention: { ...retention, policy: 'toString' as RetentionPolicy } }],
  ['retention.livePositionsMin', { retention: { ...retention, livePositionsMin: NaN } }],
  ['retention.liveMinutesMin', { retention: { ...retention, liveMinutesMin: -1 } }],
  ['retention.intervalSeconds', { retention: { ...retention, intervalSeconds: 0 } }],
  ['retention.intervalSeconds', { retention: { ...retention, intervalSeconds: 2_147_484 } }],
  ['floors.behindEventsMax', { floors: { behindEventsMax: NaN, behindBytesMax: 0 } }],
])('%s that is no setting is refused before anything is done to the log', (name, options) => {
  const start = () =>
    new LogOperations({
      // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- nothing of it is looked at
      log: {} as WalEventLog,
      logger: new RecordedLog(),
      floors: { behindEventsMax: 0, behindBytesMax: 0 },
      ...options,
    });
  expect(start).toThrow(
    expect.objectContaining({
      code: 'OPERATIONS_INVALID_OPTION',
      message: expect.stringContaining(name),
    }),
  );
});
