import { createLogger } from '@holdfast/platform';
import { expect, it } from '@jest/globals';
import { clockLogger } from './log-clock-changes.js';

it('a clock that is not believed is told of in one line with both times, and its end in another', () => {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>);
  const tell = clockLogger(
    createLogger({ service: 'test', level: 'info', destination: { write } }),
  );
  const expectedMillis = Date.UTC(2026, 10, 23);
  tell({ fault: 'ahead', wallMillis: expectedMillis + 60_000, expectedMillis });
  tell({ fault: undefined, wallMillis: expectedMillis, expectedMillis });
  // No date.
  tell({ fault: 'ahead', wallMillis: 9e15, expectedMillis });
  expect(lines).toMatchObject([
    {
      ...{ level: 'error', fault: 'ahead', skewSeconds: 60 },
      ...{ clockTime: '2026-11-23T00:01:00.000Z', expectedTime: '2026-11-23T00:00:00.000Z' },
      msg: expect.stringContaining('cannot be believed'),
    },
    { level: 'warn', msg: expect.stringContaining('commands go on') },
    { level: 'error', fault: 'ahead', clockTime: '9000000000000000' },
  ]);
});
