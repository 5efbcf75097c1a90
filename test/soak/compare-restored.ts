/**
 * A process that opens a restored copy as a service would, and compares it with the log that it was made of, up to where it ends: every byte, and the state, made once of the
 * copy and what snapshots it has, and once by a replay of the original from its first event. Takes the data directory, the restored one, and one for scratch. Ends with 1 and
 * a sentence when they differ.
 */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type Position, Upcasters, stateDigestAt } from '@holdfast/event-store';
import { defined } from '@holdfast/kernel';
import { evolve, ledgerEventSchemas } from '@holdfast/ledger';
import { LedgerWriter } from '@holdfast/ledger-service';
import { BEFORE_FIRST, type LogSource, type Sequence, WalReader } from '@holdfast/wal';
import { openArchiveOf } from '@holdfast/wal/maintenance';

const [data = '', restored = '', scratch = ''] = process.argv.slice(2);

async function checksumUpTo(log: LogSource, sequence: Sequence): Promise<number> {
  let checksum = 0;
  await log.scan(
    BEFORE_FIRST,
    (_sequence, buffer, start, end) => {
      checksum = crc32(buffer.subarray(start, end), checksum);
    },
    sequence,
  );
  return checksum;
}

async function ofCopy(): Promise<{
  position: Position;
  entries: number;
  digest: string;
  bytes: number;
}> {
  const { log } = await LedgerWriter.open(join(restored, 'wal'), {
    state: {
      directory: join(restored, 'state'),
      snapshotDirectory: join(restored, 'snapshots'),
    },
  });
  await log.checkpoint();
  const { position, entries, digest } = defined(log.stateStatus()?.checkpoint, 'a checkpoint');
  const bytes = await checksumUpTo(log.wal, log.wal.durableSequence);
  await log.close();
  return { position, entries, digest, bytes };
}

async function ofOriginal(position: Position): Promise<typeof copy> {
  const archive = openArchiveOf(join(data, 'wal'), join(data, 'archive'));
  const log = await WalReader.open(join(data, 'wal'), { ...(archive && { archive }) });
  const upcasters = new Upcasters(ledgerEventSchemas);
  const options = { evolve, upcasters, workDirectory: scratch };
  const { entries, digest } = await stateDigestAt(log, position, options);
  const bytes = await checksumUpTo(log, position as number as Sequence);
  await log.close();
  await archive?.close();
  return { position, entries, digest, bytes };
}

const copy = await ofCopy();
const [found, expected] = [copy, await ofOriginal(copy.position)].map((one) => JSON.stringify(one));
if (found !== expected) {
  process.stderr.write(`restored: ${found}\noriginal: ${expected}\n`);
  process.exitCode = 1;
}
