import { closeSync, openSync } from 'node:fs';
import { tryLock, unlock } from 'fs-native-extensions';

/**
 * Evidence that the holder of a token is alive: it holds an operating system's lock on the byte of that number in a file of
 * locks. The kernel lets go of it with the process, so that a successor need not wait for a dead holder's lease to run out.
 * It is evidence only: what keeps two writers apart is the token.
 */
export class LifeLock {
  private constructor(
    private readonly descriptor: number,
    private readonly token: number,
  ) {}

  /** Undefined when somebody else shows life under the token. */
  static take(path: string, token: number): LifeLock | undefined {
    const descriptor = openSync(path, 'a+');
    if (tryLock(descriptor, token, 1)) return new LifeLock(descriptor, token);
    closeSync(descriptor);
    return undefined;
  }

  /** Whether whoever holds the token shows life. */
  static isHeld(path: string, token: number): boolean {
    const lock = LifeLock.take(path, token);
    lock?.release();
    return lock === undefined;
  }

  release(): void {
    unlock(this.descriptor, this.token, 1);
    closeSync(this.descriptor);
  }
}
