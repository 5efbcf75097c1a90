/** What a field must be. `problem` ends a sentence that starts with the field's name. */
export interface FieldRule {
  readonly accepts: (value: unknown) => boolean;
  readonly problem: string;
}

/** A rule for text that a regular expression decides; OpenAPI shows its source. */
export interface TextRule extends FieldRule {
  readonly pattern: RegExp;
}

export function textRule(pattern: RegExp, problem: string): TextRule {
  return { pattern, problem, accepts: (value) => typeof value === 'string' && pattern.test(value) };
}
