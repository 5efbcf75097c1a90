/** A row of the file by the names of its columns. */
export type Row = Readonly<Record<string, string>>;

/** Empty in a row without the column, whatever else every object has by that name. */
export function fieldOf(row: Row, column: string): string {
  return Object.hasOwn(row, column) ? (row[column] ?? '') : '';
}

/** Text with columns in it: `customer-{account}`. `{{` and `}}` stand for the braces themselves. */
export class Template {
  private constructor(
    readonly columns: readonly string[],
    private readonly parts: readonly { readonly text: string; readonly column?: string }[],
  ) {}

  /** Undefined when a brace stands alone. */
  static parse(source: string): Template | undefined {
    const parts: { text: string; column?: string }[] = [];
    const token = /\{\{|\}\}|\{([^{}]+)\}|[^{}]+/y;
    while (token.lastIndex < source.length) {
      const found = token.exec(source);
      if (found === null) return undefined;
      const [text, column] = found;
      if (column !== undefined) parts.push({ text: '', column });
      else parts.push({ text: text === '{{' || text === '}}' ? text.slice(1) : text });
    }
    const columns = parts.flatMap(({ column }) => (column === undefined ? [] : [column]));
    return new Template(columns, parts);
  }

  /** Whether it has columns, and the row leaves all of them empty. */
  isEmptyIn(row: Row): boolean {
    return this.columns.length > 0 && this.columns.every((column) => fieldOf(row, column) === '');
  }

  render(row: Row): string {
    return this.parts
      .map(({ text, column }) => (column === undefined ? text : fieldOf(row, column)))
      .join('');
  }
}
