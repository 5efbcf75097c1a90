import type { Position } from '@holdfast/event-store';
import type { LogTimeline } from '@holdfast/wal';

/** One history that a log is made of: it goes from here to where the next one begins. */
export interface TimelineStart {
  readonly timeline: string;
  readonly firstPosition: Position;
}

/**
 * So many histories are told, the newest: each start of the command service that writes something begins one. Who stands in an older one cannot be told from one of a
 * history that is no more, and is answered nothing until it has read on.
 */
export const TIMELINES_TOLD_MAX = 32;

/** As the fact `logTimelines` of the command service's health: `timeline@firstPosition`, newest first, with spaces between. */
export function timelinesText(timelines: readonly LogTimeline[]): string {
  return timelines.map(({ timeline, firstSequence }) => `${timeline}@${firstSequence}`).join(' ');
}

/** The same read again. What cannot be read tells of nothing, and so do all that stand behind it. */
export function timelinesOf(text: string | number): readonly TimelineStart[] {
  const timelines: TimelineStart[] = [];
  for (const told of String(text).split(' ')) {
    const [, timeline, first] = /^([0-9a-f]{16})@([0-9]{1,16})$/.exec(told) ?? [];
    if (timeline === undefined) break;
    timelines.push({ timeline, firstPosition: Number(first) as Position });
  }
  return timelines;
}
