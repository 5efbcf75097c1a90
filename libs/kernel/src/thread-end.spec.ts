import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { ThreadEnd } from './thread-end.js';

/** Ends as it is told to: by itself, when it is terminated, or never. */
class TestThread extends EventEmitter {
  readonly told: unknown[] = [];

  constructor(private readonly endsBy: 'message' | 'terminate' | 'nothing') {
    super();
  }

  postMessage(message: unknown): void {
    this.told.push(message);
    if (this.endsBy === 'message') setImmediate(() => this.emit('exit', 0));
  }

  terminate(): Promise<number> {
    this.told.push('terminate');
    if (this.endsBy === 'terminate') setImmediate(() => this.emit('exit', 1));
    return Promise.resolve(1);
  }
}

class TestProcess extends EventEmitter {
  readonly pid = 7;
  readonly kills: unknown[] = [];

  kill(...kill: unknown[]): true {
    this.kills.push(kill);
    return true;
  }
}

describe('the end of a thread', () => {
  let host: TestProcess;
  beforeEach(() => {
    host = new TestProcess();
  });
  const end = (thread: TestThread, isHung = () => false) =>
    new ThreadEnd(thread, isHung, host as unknown as NodeJS.Process);

  it.each([
    ['stops when it is told to', 'message', ['stop'], []],
    ['is ended where it stands', 'terminate', ['stop', 'terminate'], []],
    ['ends with its process only', 'nothing', ['stop', 'terminate'], [[7, 'SIGKILL']]],
  ] as const)('of one that %s', async (_, endsBy, told, kills) => {
    const thread = new TestThread(endsBy);
    await end(thread).stop(
      'stop',
      endsBy === 'message' ? 10_000 : 1,
      endsBy === 'nothing' ? 1 : 10_000,
    );
    host.emit('exit');
    expect(thread.told).toEqual(told);
    expect(host.kills).toEqual(kills);
  });

  it('of one that hangs as its process ends without a stop is the end of the process', () => {
    end(new TestThread('nothing'), () => true);
    end(new TestThread('nothing'));
    host.emit('exit');
    expect(host.kills).toEqual([[7, 'SIGKILL']]);
  });

  it('leaves nothing behind at the process', () => {
    const thread = new TestThread('nothing');
    end(thread, () => true);
    thread.emit('exit', 0);
    host.emit('exit');
    expect([host.kills, host.listenerCount('exit')]).toEqual([[], 0]);
  });
});
