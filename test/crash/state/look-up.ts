/**
 * Opens states with flipped bits as a service does, and looks keys up before anything was read through. LMDB may kill this process on the way: what it says
 * first is which flip it has begun. Arguments: a directory with `log` and `state`, the database's path within a state, `as-it-is`, or `changed` for a
 * checkpoint before the first key is looked up, and flips as `<byte>.<bit>`.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { WalEventLog } from '@holdfast/event-store';
import { errorCode } from '@holdfast/kernel';
import { STREAMS, commitsBeside, optionsOf, streamsOf } from './counting.js';

const [directory = '', database = '', mode = '', ...flips] = process.argv.slice(2);
const copy = join(directory, `looked-up-${process.pid}`);
const image = readFileSync(join(directory, 'state', database));
const expected = await answersOf(copyOf(image));
if (expected.filter((answer) => answer !== undefined).length < STREAMS)
  throw new Error('the state is empty');
const texts = expected.map((answer) => JSON.stringify(answer));

for (const flip of flips) {
  writeSync(1, `begin ${flip}\n`);
  const [at = 0, bit = 0] = flip.split('.').map(Number);
  image.writeUInt8(image.readUInt8(at) ^ (1 << bit), at);
  const damaged = copyOf(image);
  image.writeUInt8(image.readUInt8(at) ^ (1 << bit), at);
  const found = await answersOf(damaged).then(
    (answers) =>
      answers.every((answer, index) => JSON.stringify(answer) === texts[index])
        ? 'right'
        : 'silent',
    (error: unknown) => `noticed ${errorCode(error) ?? String(error)}`,
  );
  writeSync(1, `end ${flip} ${found}\n`);
}
process.exit(0);

/** Of the log and the state, with this database. */
function copyOf(bytes: Buffer): string {
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy);
  for (const name of ['log', 'state'])
    cpSync(join(directory, name), join(copy, name), { recursive: true });
  writeFileSync(join(copy, 'state', database), bytes);
  return copy;
}

/** Every key of three sections, and some that are in none. Throws where a start would make the state anew. */
async function answersOf(path: string): Promise<unknown[]> {
  const log = await WalEventLog.open(
    join(path, 'log'),
    optionsOf({
      directory: join(path, 'state'),
      cacheEntries: 10,
      firstVerifyBytesPerSecond: 1,
      onEvent: ({ kind }) => {
        if (kind === 'rebuilding') throw new Error('it would be made anew');
      },
    }),
  );
  try {
    if (mode === 'changed') {
      for (const commit of commitsBeside()) {
        log.append(commit);
        if (log.lastPosition % 50 === 0) await log.whenDurable(log.lastPosition);
      }
      await log.checkpoint();
    }
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
