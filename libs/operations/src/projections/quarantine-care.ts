import type { Position, RecordedEvent } from '@holdfast/event-store';
import type { GenerationQuarantine, QuarantinedCommit, SkipDecision } from '@holdfast/projections';
import type { OperatorLog } from '../operator-log.js';
import type { OperatedProjection } from './operated-projection.js';
import { withStore } from './with-store.js';

/** A commit in the quarantine of one set of tables. */
export interface WaitingCommit
  extends
    Omit<QuarantinedCommit, 'skipped' | 'eventId'>,
    Pick<GenerationQuarantine, 'generation' | 'version' | 'state'> {
  /** The commit that it waits behind; undefined of one that was refused. */
  readonly behind: Position | undefined;
}

export interface QuarantineStatus {
  readonly waiting: readonly WaitingCommit[];
  /** Releases that no worker has tried yet. */
  readonly releasesPending: number;
  readonly skips: readonly SkipDecision[];
}

/** The quarantine of a projection from outside of its workers: what is asked for is written into the read model, and its worker does it. Each method throws `READ_MODEL_UNAVAILABLE`, `READ_MODEL_DAMAGED`. */
export class QuarantineCare {
  constructor(private readonly logger: OperatorLog) {}

  statusOf(projection: OperatedProjection): Promise<QuarantineStatus> {
    return withStore(projection, async ({ quarantine }) => {
      const all = await quarantine.list();
      return {
        waiting: all.flatMap(waitingIn),
        releasesPending: all.reduce((sum, one) => sum + one.releasesPending, 0),
        skips: await quarantine.skips(),
      };
    });
  }

  /** The events of a commit that waits, or was skipped. Undefined when there is no such commit. */
  contentOf(
    projection: OperatedProjection,
    position: Position,
  ): Promise<readonly RecordedEvent[] | undefined> {
    return withStore(projection, async ({ quarantine }) => {
      for (const { generation, commits } of await quarantine.list()) {
        if (!commits.some((one) => one.position === position)) continue;
        const content = await quarantine.contentOf(generation, position);
        if (content !== undefined) return content;
      }
      return (await quarantine.skips()).find((one) => one.position === position)?.content;
    });
  }

  /** False when nothing such was refused. */
  async release(projection: OperatedProjection, position: Position | undefined): Promise<boolean> {
    const asked = await withStore(projection, ({ quarantine }) => quarantine.release(position));
    const told = { projection: projection.name, position: position ?? 'all' };
    if (asked > 0) this.logger.warn(told, 'commits were released from the quarantine');
    return asked > 0;
  }

  /** False when no such commit was refused. */
  async skip(
    projection: OperatedProjection,
    position: Position,
    decision: { readonly by: string; readonly reason: string },
  ): Promise<boolean> {
    const isDecided = await withStore(projection, ({ quarantine }) =>
      quarantine.skip(position, decision),
    );
    const told = { projection: projection.name, position, ...decision };
    if (isDecided) this.logger.warn(told, 'a commit in the quarantine is skipped');
    return isDecided;
  }
}

function waitingIn({
  commits,
  generation,
  version,
  state,
}: GenerationQuarantine): readonly WaitingCommit[] {
  /** The last commit that has a key: in the order of the log. */
  const holders = new Map<string, Position>();
  return commits
    .filter(({ skipped }) => !skipped)
    .map(({ position, events, keys, attempts, error, sinceMillis }) => {
      const before = keys.flatMap((key) => holders.get(key) ?? []);
      for (const key of keys) holders.set(key, position);
      const behind = before.length === 0 ? undefined : (Math.max(...before) as Position);
      const commit = { position, events, keys, attempts, error, sinceMillis };
      return { ...commit, generation, version, state, behind };
    });
}
