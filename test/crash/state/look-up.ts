/**
 * Opens states with flipped bits as a service does, and looks keys up before anything was read through. LMDB may kill this process on the way: what it says
 * first is which flip it has begun. Arguments: a directory with `log` and `state`, the database's path within a state, and flips as `<byte>.<bit>`.
 */
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { WalEventLog } from '@holdfast/event-store';
import { errorCode } from '@holdfast/kernel';
import { STREAMS, optionsOf, streamsOf } from './counting.js';

const [directory = '', database = '', ...flips] = process.argv.slice(2);
const state = join(directory, `looked-up-${process.pid}`);
const image = readFileSync(join(directory, 'state', database));
const expected = await answersOf(join(directory, 'state'));
if (expected.filter((answer) => answer !== undefined).length < STREAMS)
  throw new Error('the state is empty');
const texts = expected.map((answer) => JSON.stringify(answer));

for (const flip of flips) {
  writeSync(1, `begin ${flip}\n`);
  mkdirSync(dirname(join(state, database)), { recursive: true });
  copyFileSync(join(directory, 'state', 'STATE'), join(state, 'STATE'));
  const [at = 0, bit = 0] = flip.split('.').map(Number);
  image.writeUInt8(image.readUInt8(at) ^ (1 << bit), at);
  writeFileSync(join(state, database), image);
  image.writeUInt8(image.readUInt8(at) ^ (1 << bit), at);
  const found = await answersOf(state).then(
    (answers) =>
      answers.every((answer, index) => JSON.stringify(answer) === texts[index])
        ? 'right'
        : 'silent',
    (error: unknown) => `noticed ${errorCode(error) ?? String(error)}`,
  );
  writeSync(1, `end ${flip} ${found}\n`);
  rmSync(state, { recursive: true });
}
process.exit(0);

/** Every key of three sections, and some that are in none. Throws where a start would make the state anew. */
async function answersOf(path: string): Promise<unknown[]> {
  const log = await WalEventLog.open(
    join(directory, 'log'),
    optionsOf({
      directory: path,
      cacheEntries: 10,
      firstVerifyBytesPerSecond: 1,
      onEvent: ({ kind }) => {
        if (kind === 'rebuilding') throw new Error('it would be made anew');
      },
    }),
  );
  try {
    return ['counts', 'last', 'log/streams/ends'].flatMap((name) => {
      const section = log.state.section<object>(name);
      return streamsOf(STREAMS).flatMap((stream, index) =>
        index % 20 === 0
          ? [section.get(stream), section.get(`${stream}-none`)]
          : [section.get(stream)],
      );
    });
  } finally {
    await log.close();
  }
}
