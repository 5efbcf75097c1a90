import type { Watermark } from '../../directory/watermark.js';
import type { SegmentName } from '../../format/segment-name.js';
import { type Candidate, endsWell, isContinued } from './salvage-candidate.js';

/**
 * The archived segments of a history that the log has left, where no live one stands in their place: an archive keeps what was there before a restore, and it may go further than the log does.
 * A live segment is of the log. An archived one alone is only where the log is known to have come so far, by the name of a file, by WATERMARK, or by its floor of what was archived (a restored
 * log has none until it archives for itself, and then it may be of another archive); and not where it does not go on from what is
 * there before it, has another timeline than WATERMARK names, or another first sequence than the live file of its number. What comes behind such a one is of its history too, up to the next live
 * segment; and what leads up to such a one, unless something proves that the log had it.
 */
export function abandonedIn(
  candidates: readonly Candidate[],
  names: readonly SegmentName[],
  watermark: Watermark | undefined,
  archiveFloor: number,
): ReadonlySet<Candidate> {
  const known = [...names.map(({ segment }) => segment), ...(watermark ? [watermark.segment] : [])];
  // Nothing is left of the log but its archive.
  const isAllThatIsLeft = known.length === 0;
  const reached = isAllThatIsLeft ? Infinity : Math.max(...known);
  const isContradicted = (one: Candidate): boolean =>
    isElsewhere(one, names) ||
    (one.name.segment === watermark?.segment && one.header.timeline !== watermark.timeline);
  const isOfThisArchive =
    candidates.some(({ archived }) => archived?.seal.lastSequence === archiveFloor) &&
    !candidates.some((one) => one.archived && (isContradicted(one) || leaves(one, candidates)));
  const archivedUpTo = isOfThisArchive ? archiveFloor : 0;
  const isAbandoned = (one: Candidate): boolean =>
    (one.name.segment > reached && (one.archived?.seal.lastSequence ?? Infinity) > archivedUpTo) ||
    isContradicted(one);
  const numbers = [...new Set(candidates.map(({ name }) => name.segment))].sort((a, b) => a - b);
  const abandoned = new Set<Candidate>();
  let before: readonly Candidate[] = [];
  let hasLeft = false;
  for (const number of numbers) {
    const here = candidates.filter(({ name }) => name.segment === number);
    const live = here.filter(({ archived }) => archived === undefined);
    const prior = before[0]?.name.segment === number - 1 ? before : [];
    before = live.length > 0 ? ofTheLog(here, live) : here;
    if (live.length === 0) {
      // Behind a gap there is nothing to compare with.
      const isContinuation = (one: Candidate): boolean =>
        prior.length === 0 ? !hasLeft : prior.some((it) => isContinued(it, one.header));
      before = here.filter((one) => !isAbandoned(one) && isContinuation(one));
      for (const one of here) if (!before.includes(one)) abandoned.add(one);
    }
    hasLeft = before.length === 0;
  }
  if (!isAllThatIsLeft) leadingUpTo(abandoned, candidates, numbers, watermark, archivedUpTo);
  return abandoned;
}

/** Whether the names of the live files say that the log's own segment of its number begins elsewhere. */
function isElsewhere({ name }: Candidate, names: readonly SegmentName[]): boolean {
  const own = names.filter(({ segment }) => segment === name.segment);
  return own.length > 0 && own.every(({ firstSequence }) => firstSequence !== name.firstSequence);
}

/** Whether the live segment of its number is another one, or the next live one does not go on from it: then the log has not put it there. */
function leaves(one: Candidate, candidates: readonly Candidate[]): boolean {
  const live = (number: number): readonly Candidate[] =>
    candidates.filter(({ name, archived }) => archived === undefined && name.segment === number);
  const [here, next] = [live(one.name.segment), live(one.name.segment + 1)];
  return (
    (here.length > 0 && here.every(({ header }) => header.timeline !== one.header.timeline)) ||
    (next.length > 0 && !next.some(({ header }) => isContinued(one, header)))
  );
}

/**
 * Two histories are the same up to where they fork. Where the log cannot be read there, an archived segment that goes on from the log before the fork may be of either: it counts where the next one of
 * the log goes on from it; where its timeline comes again in the log behind it, because a writer has but one; and where the log knows that it was archived. That nothing is known behind it proves nothing.
 */
function leadingUpTo(
  abandoned: Set<Candidate>,
  candidates: readonly Candidate[],
  numbers: readonly number[],
  watermark: Watermark | undefined,
  archivedUpTo: number,
): void {
  const timelines = new Set([watermark?.timeline]);
  let behind: readonly Candidate[] = [];
  for (const number of numbers.toReversed()) {
    const all = candidates.filter(({ name }) => name.segment === number);
    const live = all.filter(({ archived }) => archived === undefined);
    const isOwn = (one: Candidate): boolean => {
      if (abandoned.has(one)) return false;
      const leadsTo = (it: Candidate): boolean =>
        it.name.segment === number + 1 && isContinued(one, it.header);
      if (behind.some(leadsTo) || timelines.has(one.header.timeline)) return true;
      return (one.archived?.seal.lastSequence ?? Infinity) <= archivedUpTo;
    };
    const own = live.length > 0 ? ofTheLog(all, live) : all.filter(isOwn);
    if (live.length === 0) for (const one of all) if (!own.includes(one)) abandoned.add(one);
    for (const { header } of own) timelines.add(header.timeline);
    behind = own;
  }
}

/** With the archived one only where the live one is damaged at its end: it may be cut short, by a restore, and then the archived one goes on in the history that was left. */
function ofTheLog(here: readonly Candidate[], live: readonly Candidate[]): readonly Candidate[] {
  const damaged = live.filter((one) => !endsWell(one));
  return here.filter((one) => live.includes(one) || damaged.some((it) => isSameFile(one, it)));
}

/** Two copies of one segment; a segment's header is written once. */
export function isSameFile(one: Candidate, other: Candidate): boolean {
  const [a, b] = [one.header, other.header];
  return a.timeline === b.timeline && a.salt === b.salt && a.createdMicros === b.createdMicros;
}
