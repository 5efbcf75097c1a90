/** One definition of what a mapping can ask of a text, in its rules and about lines to ignore. */
export type ConditionSource =
  | string
  | readonly string[]
  | {
      readonly equals?: string | readonly string[];
      readonly contains?: string;
      readonly startsWith?: string;
      readonly endsWith?: string;
      readonly matches?: string;
      readonly ignoreCase?: boolean;
    };

const TESTS = {
  contains: (text: string, part: string) => text.includes(part),
  startsWith: (text: string, part: string) => text.startsWith(part),
  endsWith: (text: string, part: string) => text.endsWith(part),
} as const;

/** Texts are compared without the spaces around them. */
export class TextCondition {
  readonly #fits: (text: string) => boolean;

  private constructor(
    readonly source: ConditionSource,
    fits: (text: string) => boolean,
  ) {
    this.#fits = fits;
  }

  /** A string says what is wrong with the source. */
  static of(source: ConditionSource): TextCondition | string {
    const { ignoreCase = false, ...tests } =
      typeof source === 'object' && 'length' in source
        ? { equals: source }
        : typeof source === 'string'
          ? { equals: source }
          : source;
    const [test, ...others] = Object.entries(tests);
    if (test === undefined || others.length > 0)
      return 'must have one of equals, contains, startsWith, endsWith, matches';
    const fits = testOf(...test, ignoreCase);
    return typeof fits === 'string' ? fits : new TextCondition(source, fits);
  }

  fits(text: string): boolean {
    return this.#fits(text.trim());
  }
}

function testOf(
  name: string,
  wanted: string | readonly string[],
  ignoreCase: boolean,
): ((text: string) => boolean) | string {
  const folded = (text: string): string => (ignoreCase ? text.toLowerCase() : text);
  if (name === 'equals') {
    const texts = [wanted].flat().map((text) => folded(text.trim()));
    return (text) => texts.includes(folded(text));
  }
  const part = String(wanted);
  if (name === 'matches') {
    const pattern = patternOf(part, ignoreCase);
    return pattern instanceof RegExp ? (text) => pattern.test(text) : pattern;
  }
  const test = TESTS[name as keyof typeof TESTS];
  return (text) => test(folded(text), folded(part));
}

function patternOf(source: string, ignoreCase: boolean): RegExp | string {
  try {
    return new RegExp(source, ignoreCase ? 'iu' : 'u');
  } catch (error) {
    return `matches must be a regular expression: ${(error as Error).message}`;
  }
}
