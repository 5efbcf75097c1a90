/** What has become of the rows. */
export interface Tally {
  readonly posted: number;
  /** Of the posted: they had been posted before, by an earlier run or attempt. */
  readonly repeated: number;
  /** Posted or refused by an earlier run: the answer has left the log, and the ledger cannot tell any more which. */
  readonly unknown: number;
  readonly skipped: number;
  readonly rejected: number;
  readonly accountsOpened: number;
}

export const EMPTY_TALLY: Tally = {
  posted: 0,
  repeated: 0,
  unknown: 0,
  skipped: 0,
  rejected: 0,
  accountsOpened: 0,
};

export function addTally(one: Tally, other: Partial<Tally>): Tally {
  return {
    posted: one.posted + (other.posted ?? 0),
    repeated: one.repeated + (other.repeated ?? 0),
    unknown: one.unknown + (other.unknown ?? 0),
    skipped: one.skipped + (other.skipped ?? 0),
    rejected: one.rejected + (other.rejected ?? 0),
    accountsOpened: one.accountsOpened + (other.accountsOpened ?? 0),
  };
}
