import { setTimeout } from 'node:timers/promises';
import type { Child } from '../support/child.js';
import type { Services } from '../support/services.js';
import { Doubt } from './doubt.js';
import type { Tally } from './tally.js';

/** Rebuilds of the read model beside the live one, while everything goes on. */
export class RebuildRuns {
  private child: Child | undefined;

  constructor(
    private readonly services: Services,
    private readonly tally: Tally,
  ) {}

  /** One rebuild; killed after `killAfterMillis` if given, and then taken up again. */
  async run(killAfterMillis?: number): Promise<void> {
    const first = this.begin();
    if (killAfterMillis !== undefined) {
      await Promise.race([first.exited, setTimeout(killAfterMillis)]);
      if (first.exit === undefined) {
        this.tally.count(this.tally.kills, 'rebuild');
        await first.end('SIGKILL');
      }
    }
    const child = first.exit === undefined || first.exit.code === 0 ? first : this.begin();
    const exit = await child.exited;
    if (exit.code !== 0)
      throw new Doubt(`a rebuild ended with ${exit.signal ?? exit.code}: ${child.output}`);
    this.tally.rebuilds++;
  }

  /** Kills the one that is running, if any. */
  async abandon(): Promise<void> {
    if (this.child === undefined || this.child.exit !== undefined) return;
    this.tally.count(this.tally.kills, 'rebuild');
    await this.child.end('SIGKILL');
  }

  /** Without waiting for it. */
  begin(): Child {
    const script = 'dist/test/soak/rebuild-read-model.js';
    this.child = this.services.script('rebuild', script, [this.services.dataDirectory]);
    return this.child;
  }
}
