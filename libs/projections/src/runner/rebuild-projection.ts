import type { Position } from '@holdfast/event-store';
import type { EventFeed } from '../event-feed.js';
import { type BadEventPolicy, ProjectionRunner } from './projection-runner.js';
import { QUARANTINED_EVENTS_MAX } from './quarantine.js';
import type { ProjectionStatus } from './projection-status.js';
import type { ReadModelStore } from '../read-model-store.js';

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
  /** Called about four times per second, and once at the end. */
  readonly onProgress?: (progress: RebuildProgress) => void;
  readonly signal: AbortSignal;
}

const PROGRESS_MILLIS = 250;

/**
 * Fills new tables from the log beside the live ones, catches up and switches in one transaction. Queries go on meanwhile. Called again after a crash,
 * it continues where it was. What the live tables lack, because it waits in the quarantine, may wait in the new ones; a commit that those have must be applied. True once switched; false if the signal fired first. After an error the live tables are unchanged.
 *
 * @throws what `ProjectionRunner.run` throws.
 */
export async function rebuildProjection<Transaction>(
  options: RebuildOptions<Transaction>,
): Promise<boolean> {
  const { feed, store, owner, onProgress = () => undefined, signal } = options;
  const badEvents = await policyFor(store);
  const runner = new ProjectionRunner({
    ...{ feed, store, badEvents, target: 'fresh' },
    ...(owner && { owner }),
  });
  const startedAt = performance.now();
  let from: Position | undefined;
  const report = () => {
    const { status } = runner;
    if (status.generation !== undefined) from ??= status.position;
    onProgress(progressOf(status, status.position - (from ?? 0), performance.now() - startedAt));
  };
  const timer = setInterval(report, PROGRESS_MILLIS);
  try {
    await runner.run(signal);
  } finally {
    clearInterval(timer);
  }
  report();
  return runner.tookOver;
}

async function policyFor({
  projection: { version },
  quarantine,
}: ReadModelStore<unknown>): Promise<BadEventPolicy> {
  const all = await quarantine.list();
  const live = all.find((one) => one.state === 'live' && one.version === version);
  const waiting = live?.commits.filter(({ skipped }) => !skipped) ?? [];
  if (waiting.length === 0) return { kind: 'stop' };
  const events = waiting.reduce((sum, commit) => sum + commit.events, 0);
  return { kind: 'quarantine', attempts: 1, most: Math.max(events, QUARANTINED_EVENTS_MAX) };
}

/** By positions, not by events: what the projection does not handle is passed over, but it is on the way. */
function progressOf(
  { position, head, eventsPerSecond }: ProjectionStatus,
  done: number,
  millis: number,
): RebuildProgress {
  const secondsLeft = done > 0 ? ((head - position) * (millis / 1_000)) / done : undefined;
  return { position, head, eventsPerSecond, secondsLeft };
}
