/** What a rejects file has in front of each row. */
export const REJECT_COLUMNS = ['import_line', 'import_id', 'import_reason'] as const;

/** By its header. */
export function isRejects(columns: readonly string[]): boolean {
  return REJECT_COLUMNS.every((name, index) => columns[index] === name);
}

/** Those of the rows themselves, which may be called as those in front. */
export function ownColumns(columns: readonly string[]): readonly string[] {
  return isRejects(columns) ? columns.slice(REJECT_COLUMNS.length) : columns;
}
