import { describe, expect, it } from '@jest/globals';
import { batchAfter, openSimulated, SimulatedFileSystem } from '../testing/index.js';
import {
  AdaptiveIo,
  FAST_SYNC_MICROS,
  FAST_SYNCS_TO_SWITCH_BACK,
  SLOW_SYNC_MICROS,
} from './adaptive-io.js';

describe('the I/O mode', () => {
  it('leaves the main thread at one slow sync, and comes back after a long run of fast ones', () => {
    const io = new AdaptiveIo('adaptive');
    io.observe(SLOW_SYNC_MICROS);
    expect(io.mode).toBe('synchronous');
    io.observe(SLOW_SYNC_MICROS + 1);
    expect(io.mode).toBe('asynchronous');
    for (let run = 1; run < FAST_SYNCS_TO_SWITCH_BACK; run++) io.observe(FAST_SYNC_MICROS);
    expect(io.mode).toBe('asynchronous');
    io.observe(FAST_SYNC_MICROS + 1);
    for (let run = 1; run < FAST_SYNCS_TO_SWITCH_BACK; run++) io.observe(FAST_SYNC_MICROS);
    expect(io.mode).toBe('asynchronous');
    io.observe(FAST_SYNC_MICROS);
    expect(io.mode).toBe('synchronous');
  });

  it.each(['synchronous', 'asynchronous'] as const)('stays %s when told so', (mode) => {
    const io = new AdaptiveIo(mode);
    io.observe(SLOW_SYNC_MICROS * 2);
    for (let run = 0; run <= FAST_SYNCS_TO_SWITCH_BACK; run++) io.observe(1);
    expect(io.mode).toBe(mode);
  });

  it('goes by the syncs of an interval log, not by its writes', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system, { durability: 'interval', ioMode: 'adaptive' });
    const slow = slowSyncs(system);
    await wal.append(batchAfter(0, 1)).durable;
    expect(wal.stats().ioMode).toBe('synchronous');
    await wal.flush();
    expect(wal.stats().ioMode).toBe('asynchronous');
    slow.end();
    for (let at = 1; at < FAST_SYNCS_TO_SWITCH_BACK + 50; at++)
      await wal.append(batchAfter(at, 1, 30)).durable;
    expect(wal.stats().ioMode).toBe('asynchronous');
    await wal.close();
  });
});

/** Each sync of a segment holds up its thread for longer than a fast disk would. */
function slowSyncs(system: SimulatedFileSystem): { end: () => void } {
  const meet = system.faults.meet.bind(system.faults);
  system.faults.meet = (operation, path) => {
    const until = performance.now() + (SLOW_SYNC_MICROS + 1_000) / 1_000;
    if (operation === 'data-sync') while (performance.now() < until);
    return meet(operation, path);
  };
  return { end: () => (system.faults.meet = meet) };
}
