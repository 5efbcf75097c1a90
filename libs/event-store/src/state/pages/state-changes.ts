import { faultIn } from './state-pages.js';
import { type LeafPlace, StateTree, type TreeVersion } from './state-tree.js';

/*
 * What a checkpoint does to the pages of the state, told from `mdb.c`, so that all of it can be verified before the transaction begins. LMDB trusts the
 * count of keys of a page that it changes: of a leaf whose count a flipped bit has lowered, a split or a merge makes leaves that are whole and lack entries.
 *
 * - `mdb_cursor_put` changes the leaf of its key and no other one: a value of another length is removed and added within the leaf (`mdb_node_del`,
 *   `mdb_node_add`), without `mdb_rebalance`, and `mdb_page_split` moves entries to a new page.
 * - `mdb_cursor_del` ends in `mdb_rebalance`. A leaf that is less than a quarter full takes an entry from the leaf beside it, or is merged with it: the one
 *   before it, or the one behind where there is none before it below the same branch. What was merged may be less than a quarter full again.
 * - Branches are vouched for by the seal. But one that is left with a single child takes another from the branch beside it, or is merged with it, and the
 *   separator that it then needs is the first key of the first leaf below it, or below the one behind it (`mdb_page_search_lowest`).
 *
 * Claim: every leaf that a transaction changes or takes a separator from is one that holds a changed key, or one that `spread` comes to from there. A leaf
 * that the transaction has not made itself is met only beside one that it has. Let that one have taken part in a merge because the key k was deleted.
 * All that lies between k and its end, and is not changed, lies in it: less than a quarter of a page, or, when the merge was with a leaf of a single entry,
 * less than three quarters. So the leaf beside it is reached while fewer bytes than that lie between. A branch has a single child only after a merge
 * of its last two, and for it LMDB looks no further than the leaf behind. A branch above such branches has a single child only after two of them were merged,
 * which together had no more than three: the first leaf below, the leaf behind, and the one before either, whose end the new separator is, lie no more than
 * three leaves from a merge. `LEAVES_BEYOND` are the second and third.
 *
 * What remains: branches that are three levels above the leaves and not the root are merged by separators from leaves that may be farther away. It needs a
 * tree of five levels, and a checkpoint that leaves a branch two levels above the leaves, and its neighbour, with three children in all. A bit in the first
 * key of just that leaf then hides keys of it until the first reading-through meets the leaf, which is still as it was.
 */

/** As a fraction of a page's room: what may lie in a page that was merged, on one side of the key that was deleted. */
const MERGED_MAX = 0.75;
const LEAVES_BEYOND = 2;

export interface KeyChange {
  readonly key: Buffer;
  readonly isDeletion: boolean;
}

interface Leaf extends LeafPlace {
  /** Of the entries that do not change. */
  readonly keptBytes: number;
  hasDeletions: boolean;
}

/**
 * What is wrong with the pages that a transaction with these changes would go by, of the database in this file; undefined when every one is as it was
 * written. Nobody may commit meanwhile.
 *
 * Why this and the reading-through together miss nothing: a reading-through reads the pages of one version, which nobody changes while it lasts. When it
 * ends well, a page of the newest version is one that it has read; or one that a checkpoint has made later, out of pages that it had verified here,
 * for until then every checkpoint does; or out of such pages. A checkpoint that was asked for before that end verifies its own pages, whatever the scan
 * says while it runs. So no damage is taken over into a page that looks whole, neither in front of the scan nor behind it.
 */
export function faultUnder(path: string, changes: readonly KeyChange[]): string | undefined {
  const tree = new StateTree(path);
  try {
    return faultIn(() => {
      const version = tree.newest();
      if (!version.isEmpty) new ChangedLeaves(version, changes).assertWhole();
    });
  } finally {
    tree.close();
  }
}

class ChangedLeaves {
  /** Those that were verified, by their pages. Each once. */
  private readonly leaves = new Map<number, Leaf>();
  private readonly tree: TreeVersion;
  private readonly changes: readonly KeyChange[];
  private readonly changed: ReadonlySet<string>;

  constructor(tree: TreeVersion, changes: readonly KeyChange[]) {
    this.tree = tree;
    // One key after another leads along the same branches.
    this.changes = [...changes].sort((one, other) => Buffer.compare(one.key, other.key));
    this.changed = new Set(changes.map(({ key }) => key.toString('latin1')));
  }

  assertWhole(): void {
    let leaf: Leaf | undefined;
    for (const { key, isDeletion } of this.changes) {
      if (leaf === undefined || isBehind(leaf, key)) leaf = this.leafAt(key, 'at');
      leaf.hasDeletions ||= isDeletion;
    }
    for (const shrinking of [...this.leaves.values()]) {
      if (!shrinking.hasDeletions) continue;
      this.spread(shrinking, 'before');
      this.spread(shrinking, 'behind');
    }
  }

  /** Verifies what LMDB may come to from a leaf that loses keys. One that loses keys itself spreads on its own, and from nearer. */
  private spread(from: Leaf, side: 'before' | 'behind'): void {
    const keptBytesMax = MERGED_MAX * this.tree.roomBytes;
    let keptBytes = 0;
    let leaf = from;
    for (let beyond = 0; beyond <= LEAVES_BEYOND;) {
      const bound = side === 'before' ? leaf.low : leaf.high;
      if (bound === undefined) return;
      leaf = this.leafAt(bound, side === 'before' ? 'before' : 'at');
      if (leaf.hasDeletions) return;
      keptBytes += leaf.keptBytes;
      if (keptBytes >= keptBytesMax) beyond++;
    }
  }

  private leafAt(key: Buffer, side: 'at' | 'before'): Leaf {
    const place = this.tree.leafAt(key, side);
    const known = this.leaves.get(place.page);
    if (known !== undefined) return known;
    let keptBytes = 0;
    for (const node of this.tree.wholeNodes(place))
      if (!this.changed.has(node.key.toString('latin1'))) keptBytes += node.bytes;
    const leaf = { ...place, keptBytes, hasDeletions: false };
    this.leaves.set(place.page, leaf);
    return leaf;
  }
}

function isBehind({ high }: Leaf, key: Buffer): boolean {
  return high !== undefined && Buffer.compare(key, high) >= 0;
}
