import { defined } from '@holdfast/kernel';
import type { Position } from '../event.js';
import type { StateSection, StateStore } from '../state-store.js';

/** Positions in one entry. Appending copies the last entry, so this bounds what an append costs. */
export const CHUNK_POSITIONS = 32;

/**
 * The end of a term's list: its one position, or the number of full chunks followed by the positions after them. Most
 * terms of a log have one event only, and cost no array.
 */
type ListEnd = number | readonly number[];

/** A run of a list's positions, ascending. */
export interface PositionPage {
  /** The index in the list of the first of them. */
  readonly start: number;
  readonly positions: readonly Position[];
}

/**
 * Term → ascending positions, behind the state store: lists of any length in small entries that are replaced and never
 * mutated, as checkpoints need them.
 */
export class PositionIndex {
  private readonly ends: StateSection<ListEnd>;
  private readonly chunks: StateSection<readonly number[]>;

  constructor(state: StateStore, name: string) {
    this.ends = state.section(`${name}/ends`);
    this.chunks = state.section(`${name}/chunks`);
  }

  length(term: string): number {
    const end = this.ends.get(term);
    return end === undefined ? 0 : lengthOf(end);
  }

  /** Whether a term begins so, or did; undefined where nobody can tell yet. */
  hasBeginning(prefix: string): boolean | undefined {
    return this.ends.hasBeginning(prefix);
  }

  /** Returns the new length. */
  append(term: string, position: Position): number {
    const end = this.ends.get(term);
    const longer = end === undefined ? position : appended(end, position);
    if (typeof longer === 'number' || longer.length <= CHUNK_POSITIONS) {
      this.ends.set(term, longer);
    } else {
      const chunk = fullChunks(longer);
      this.chunks.set(chunkKey(term, chunk), longer.slice(1));
      this.ends.set(term, [chunk + 1]);
    }
    return lengthOf(longer);
  }

  /** The page that holds the position with this index in the list, which must be less than the list's length. */
  page(term: string, index: number): PositionPage {
    const chunk = Math.floor(index / CHUNK_POSITIONS);
    return { start: chunk * CHUNK_POSITIONS, positions: this.chunkOf(term, chunk) };
  }

  /** How many of the term's positions are at or below this one. */
  countUpTo(term: string, position: Position): number {
    // The last page that begins at or below it.
    let low = 0;
    let high = Math.ceil(this.length(term) / CHUNK_POSITIONS);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const first = this.chunkOf(term, middle)[0];
      if (defined(first, 'a position of a page') <= position) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return 0;
    const page = this.chunkOf(term, low - 1);
    const above = page.findIndex((candidate) => candidate > position);
    return (low - 1) * CHUNK_POSITIONS + (above === -1 ? page.length : above);
  }

  private chunkOf(term: string, chunk: number): readonly Position[] {
    const end = defined(this.ends.get(term), 'the list of a term that has a length');
    if (typeof end === 'number') return [end as Position];
    const positions =
      chunk < fullChunks(end)
        ? defined(this.chunks.get(chunkKey(term, chunk)), 'a full chunk')
        : end.slice(1);
    return positions as readonly Position[];
  }
}

function appended(end: ListEnd, position: Position): readonly number[] {
  if (typeof end === 'number') return [0, end, position];
  // Of its exact size: this is most of what an append to the log leaves to the garbage collector.
  const longer = new Array<number>(end.length + 1);
  for (let index = 0; index < end.length; index++) longer[index] = end[index] as number;
  longer[end.length] = position;
  return longer;
}

function lengthOf(end: ListEnd): number {
  return typeof end === 'number' ? 1 : fullChunks(end) * CHUNK_POSITIONS + end.length - 1;
}

function fullChunks(end: readonly number[]): number {
  return defined(end[0], 'the number of full chunks');
}

/** The number comes first: a term may hold any character, and no two keys are the same. */
function chunkKey(term: string, chunk: number): string {
  return `${chunk} ${term}`;
}
