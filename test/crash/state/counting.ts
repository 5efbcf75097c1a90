import { randomUUID } from 'node:crypto';
import type {
  CheckpointedStateOptions,
  Commit,
  Evolve,
  WalEventLogOptions,
} from '@holdfast/event-store';

/** Streams that grow, change and are forgotten: a state of every kind of entry. */
export const evolve: Evolve = (event, state) => {
  const { number } = event.data as { number: number };
  const counts = state.section<number>('counts');
  counts.set(event.stream, (counts.get(event.stream) ?? 0) + 1);
  const last = state.section<object>('last');
  if (number % 5 === 0) last.delete(event.stream);
  else last.set(event.stream, { number, text: 'x'.repeat(number % 300) });
};

export function commitOf(number: number): Commit {
  const event = (at: number) => ({
    id: randomUUID(),
    type: 'Counted',
    schemaVersion: 1,
    tags: [`t-${number % 13}`],
    data: { number: number + at },
  });
  return {
    appends: [
      { stream: `s-${number % 997}`, expectedVersion: 'any', events: [event(0), event(1)] },
      { stream: `only-${number}`, expectedVersion: 'no-stream', events: [event(2)] },
    ],
  };
}

/** Commits of the state whose keys are looked up one by one. */
export const STREAMS = 600;

/** Every stream of the first commits. */
export function streamsOf(commits: number): string[] {
  const numbers = Array.from({ length: commits }, (_, number) => 3 * number + 1);
  return [
    ...new Set(numbers.map((number) => `s-${number % 997}`)),
    ...numbers.map((number) => `only-${number}`),
  ];
}

/** Change some keys and leave their neighbours alone: new ones beside them, longer values, and runs that go. */
export function commitsBeside(): Commit[] {
  const event = (number: number) => ({
    id: randomUUID(),
    type: 'Counted',
    schemaVersion: 1,
    data: { number },
  });
  const streams = streamsOf(STREAMS).sort();
  return streams.flatMap((stream, index): Commit[] => {
    const place = index % 60;
    // `evolve` deletes at numbers that 5 divides.
    if (place >= 30 && place < 44 && place % 4 !== 0)
      return [{ appends: [{ stream, expectedVersion: 'any', events: [event(5)] }] }];
    if (place % 10 === 3)
      return [
        { appends: [{ stream, expectedVersion: 'any', events: [event(299)] }] },
        {
          appends: [
            { stream: `${stream}-beside`, expectedVersion: 'no-stream', events: [event(1)] },
          ],
        },
      ];
    return [];
  });
}

export function optionsOf(state: CheckpointedStateOptions): WalEventLogOptions {
  return {
    evolve,
    wal: { create: true, frameBytesMax: 64 * 1024, segmentBytes: 256 * 1024 },
    state: { cacheEntries: 1_000, verifyPauseMillis: 100, ...state },
  };
}
