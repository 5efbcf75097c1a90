import type { Position } from '@holdfast/event-store';
import { assert } from '@holdfast/kernel';
import type { EventFeed } from './event-feed.js';
import type { ReadModelStore } from './read-model-store.js';

export interface RebuildProgress {
  readonly position: Position;
  readonly head: Position;
  readonly eventsPerSecond: number;
  /** Undefined until a rate is known. */
  readonly secondsLeft: number | undefined;
}

export interface RebuildOptions<Transaction> {
  readonly feed: EventFeed;
  readonly store: ReadModelStore<Transaction>;
  readonly owner?: string;
  /** Called about four times a second, and once at the end. */
  readonly onProgress?: (progress: RebuildProgress) => void;
  readonly signal: AbortSignal;
}

/**
 * Fills fresh tables from the log beside the live ones, catches up and switches in one transaction; queries never stop. Called
 * again after a crash half-way, it goes on where it was. True when switched; false when the signal fired first.
 */
export function rebuildProjection<Transaction>(
  options: RebuildOptions<Transaction>,
): Promise<boolean> {
  return notBuiltYet(options);
}

function notBuiltYet(...context: unknown[]): never {
  assert(false, `not built yet: ${context.length}`);
}
