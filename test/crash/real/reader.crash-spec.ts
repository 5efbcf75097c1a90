import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { BEFORE_FIRST, type Sequence, Wal, WalReader } from '@holdfast/wal';
import { startWorkload } from './run-workload.js';

const ROUNDS = 3;
const OPEN_ATTEMPTS_MAX = 3_000;

/** Two real processes and the real page cache. Supports the claim: a reader is shown nothing that a crash of the writer takes back. */
describe('a reader beside a writer in another process', () => {
  let directory: string;
  let log: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'reader-'));
    log = join(directory, 'log');
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  const opened = async (): Promise<WalReader> => {
    for (let attempt = 0; attempt < OPEN_ATTEMPTS_MAX; attempt++) {
      try {
        return await WalReader.open(log);
      } catch (error) {
        if ((error as { code?: string }).code !== 'WAL_NOT_FOUND') throw error;
        await setTimeout(20);
      }
    }
    throw new Error('the writer made no log');
  };

  it.each(['sync', 'interval'] as const)(
    'follows a %s log through kills of the writer, gapless, and all of it is still there',
    async (durability) => {
      const seen: string[] = [];
      let reader: WalReader | undefined;
      let following: Promise<void> | undefined;
      const stop = new AbortController();
      const follow = async (source: WalReader): Promise<void> => {
        for await (const { sequence, payload } of source.follow({
          after: BEFORE_FIRST,
          signal: stop.signal,
        })) {
          expect(sequence).toBe(seen.length + 1);
          seen.push(Buffer.from(payload).toString('latin1'));
        }
      };
      for (let round = 0; round < ROUNDS; round++) {
        const before = seen.length;
        const running = startWorkload({
          directory: log,
          run: `round${round}`,
          batches: 1_000_000,
          appenders: 4,
          durability,
          ioMode: round % 2 === 0 ? 'synchronous' : 'asynchronous',
        });
        reader ??= await opened();
        following ??= follow(reader);
        while (seen.length < before + 100) await Promise.race([setTimeout(5), following]);
        process.kill(running.pid, 'SIGKILL');
        await running.outcome;
      }
      // The rest of what the dead writer has published.
      while (seen.length < (reader?.durableSequence ?? 0))
        await Promise.race([setTimeout(5), following]);
      stop.abort();
      await following;
      await reader?.close();
      expect(seen.length).toBeGreaterThanOrEqual(ROUNDS * 100);
      const wal = await Wal.open(log, { frameBytesMax: 16 * 1024, segmentBytes: 32 * 1024 });
      for (const [at, payload] of seen.entries()) {
        const record = wal.recordAt((at + 1) as Sequence);
        expect(Buffer.from(record?.payload ?? []).toString('latin1')).toBe(payload);
      }
      await wal.close();
    },
  );
});
