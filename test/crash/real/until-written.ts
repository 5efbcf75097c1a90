import { setTimeout } from 'node:timers/promises';
import { errorCode } from '@holdfast/kernel';
import { type Sequence, WalReader } from '@holdfast/wal';

const ATTEMPTS_MAX = 1_000;

/** Waits, however slow the machine is, until a writer in another process has made records durable behind `after`. Returns the last one. */
export async function untilWritten(log: string, after = 0 as Sequence): Promise<Sequence> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const reader = await openIfThere(log);
    const last = reader?.durableSequence ?? after;
    await reader?.close();
    if (last > after) return last;
    await setTimeout(20);
  }
  throw new Error(`nobody wrote to ${log}`);
}

async function openIfThere(log: string): Promise<WalReader | undefined> {
  try {
    return await WalReader.open(log);
  } catch (error) {
    if (errorCode(error) === 'WAL_NOT_FOUND') return undefined;
    throw error;
  }
}
