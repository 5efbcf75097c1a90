/**
 * A process that appends until it is told to stop or dies, and says on standard output what it has submitted and what was acknowledged, one
 * line each, written synchronously: what is printed has happened. Started by the specs of this folder under fault injection.
 */
import { writeSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { errorCode } from '@holdfast/kernel';
import { type Admission, BEFORE_FIRST, type Durability, type IoMode, Wal } from '@holdfast/wal';
import { batchPayloads } from './batch-payloads.js';

export interface WorkloadOptions {
  readonly directory: string;
  /** Names the batches of this run, so that those of earlier runs on the same log stay apart. */
  readonly run: string;
  readonly batches: number;
  readonly appenders: number;
  readonly durability: Durability;
  readonly ioMode: IoMode | 'adaptive';
  /** Reads everything back at the end, as a replay does. */
  readonly readBack?: boolean;
}

const options = JSON.parse(process.argv[2] ?? '') as WorkloadOptions;

function say(line: string): void {
  const bytes = Buffer.from(`${line}\n`);
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(1, bytes, done);
    } catch (error) {
      // The pipe is full because the one who listens is slower than we are.
      if (errorCode(error) !== 'EAGAIN') throw error;
    }
  }
}

/** Some seconds: longer than any disk takes here to drain the queue. */
const TRIES_MAX = 3_000;

/** The queue of so small a log holds two or three batches; an appender that finds it full comes back. What stays short, as file descriptors may, ends it. */
async function append(wal: Wal, payloads: readonly Buffer[]): Promise<Admission> {
  for (let attempt = 1; ; attempt++) {
    try {
      return wal.append(payloads);
    } catch (error) {
      if (errorCode(error) !== 'WAL_OVERLOADED' || attempt >= TRIES_MAX) throw error;
      await setTimeout(1);
    }
  }
}

async function appender(wal: Wal, next: () => number | undefined): Promise<void> {
  for (let batch = next(); batch !== undefined; batch = next()) {
    const name = `${options.run}-${batch}`;
    say(`submitted ${name}`);
    const { first, last, durable } = await append(wal, batchPayloads(name));
    await durable;
    if (options.durability === 'sync') say(`acknowledged ${name} ${first} ${last}`);
    if (batch % 20 === 0) wal.floors.set(`consumer-${batch % 3}`, wal.durableSequence);
    if (batch % 10 === 0 && options.durability !== 'sync') {
      await wal.flush();
      say(`acknowledged ${name} ${first} ${last}`);
    }
  }
}

try {
  const wal = await Wal.open(options.directory, {
    create: true,
    durability: options.durability,
    ioMode: options.ioMode,
    frameBytesMax: 16 * 1024,
    segmentBytes: 32 * 1024,
    idleMillis: 5,
  });
  say(`opened ${wal.lastSequence}`);
  let given = 0;
  const next = (): number | undefined => (given < options.batches ? ++given : undefined);
  await Promise.all(Array.from({ length: options.appenders }, () => appender(wal, next)));
  if (options.readBack === true) await wal.scan(BEFORE_FIRST, () => undefined);
  await wal.close();
  say('closed');
} catch (error) {
  say(`failed ${errorCode(error) ?? String(error)}`);
  process.exitCode = 1;
}
