import { expect } from '@jest/globals';
import { BEFORE_FIRST, Wal } from '@holdfast/wal';
import { batchPayloads, parseRecord } from './batch-payloads.js';
import type { WorkloadOutcome } from './run-workload.js';

/** What all runs on one log have submitted and been told, and the check of the log against it. */
export class Journal {
  private readonly submitted = new Set<string>();
  private readonly acknowledged = new Map<
    string,
    { readonly first: number; readonly last: number }
  >();

  get acknowledgedBatches(): number {
    return this.acknowledged.size;
  }

  add(outcome: WorkloadOutcome): void {
    for (const name of outcome.submitted) this.submitted.add(name);
    for (const [name, place] of outcome.acknowledged) this.acknowledged.set(name, place);
  }

  /**
   * Opens the log and compares: acknowledged ⊆ recovered ⊆ submitted, at the places given, batches whole, payloads equal, no gap; twice, because
   * recovering again must change nothing.
   */
  async check(directory: string): Promise<number> {
    const first = await this.recovered(directory);
    const second = await this.recovered(directory);
    expect(second).toEqual(first);
    for (const [name, place] of this.acknowledged)
      expect({ name, ...first.get(name) }).toEqual({ name, ...place });
    for (const name of first.keys()) expect(this.submitted.has(name)).toBe(true);
    return first.size;
  }

  private async recovered(
    directory: string,
  ): Promise<Map<string, { first: number; last: number }>> {
    const wal = await Wal.open(directory, {
      create: true,
      frameBytesMax: 16 * 1024,
      segmentBytes: 32 * 1024,
    });
    const found = new Map<string, { first: number; last: number }>();
    try {
      let expected = 1;
      for await (const { sequence, payload, endsBatch } of wal.read({ after: BEFORE_FIRST })) {
        expect(sequence).toBe(expected++);
        const { name, record, count } = parseRecord(payload);
        expect(
          Buffer.from(payload).equals(batchPayloads(name)[record - 1] ?? Buffer.alloc(0)),
        ).toBe(true);
        expect(endsBatch).toBe(record === count);
        if (record === 1) found.set(name, { first: sequence, last: sequence + count - 1 });
        else expect(found.get(name)?.first).toBe(sequence - record + 1);
      }
      for (const { last } of found.values()) expect(last).toBeLessThanOrEqual(wal.lastSequence);
    } finally {
      await wal.close();
    }
    return found;
  }
}
