/** How a decision is counted: by its kind, and an acceptance or refusal that is recorded by what it is. */
export type DecisionLabel =
  | 'accepted'
  | 'rejected'
  | 'refused'
  | 'replayed'
  | 'unchanged'
  | 'malformed'
  | 'in-flight'
  | 'dry-run';

/** How many commands of each type were decided how. */
export class DecisionCounts<Type extends string> {
  readonly byType = new Map<Type, Map<DecisionLabel, number>>();

  add(type: Type, label: DecisionLabel): void {
    let labels = this.byType.get(type);
    if (labels === undefined) {
      labels = new Map();
      this.byType.set(type, labels);
    }
    labels.set(label, (labels.get(label) ?? 0) + 1);
  }
}
