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

/** Whether the first record of a file has some of them, and they are not what is in front: rows would have other ids then. */
export function isMoved(fields: readonly string[]): boolean {
  if (isRejects(fields)) return false;
  // Words, since another delimiter may be between them.
  const words = new Set(fields.flatMap((field) => field.split(/\W+/)));
  return words.has('import_reason') && (words.has('import_line') || words.has('import_id'));
}
