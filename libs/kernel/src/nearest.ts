const TYPO_DISTANCE_MAX = 3;

/**
 * Which of the known names somebody meant: one that has all words of the given name, if only their beginning, and the fewest others
 * (`HOLDFAST_PORT`, `HOLDFAST_HTTP_PORT`), else the one that is fewest letters away. Undefined when none is near.
 */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  return least(known, (candidate) => wordsBeside(name, candidate)) ?? nearestLetters(name, known);
}

function nearestLetters(name: string, known: readonly string[]): string | undefined {
  return least(known, (candidate) => {
    const letters = distance(name, candidate);
    return letters <= TYPO_DISTANCE_MAX ? letters : undefined;
  });
}

/** How many words the candidate has beside all of the name's. */
function wordsBeside(name: string, candidate: string): number | undefined {
  const [words, others] = [name.split('_'), candidate.split('_')];
  const hasAll =
    words.length > 1 && words.every((word) => others.some((other) => other.startsWith(word)));
  return hasAll ? others.length - words.length : undefined;
}

function least(
  candidates: readonly string[],
  measure: (candidate: string) => number | undefined,
): string | undefined {
  const measured = candidates
    .map((candidate) => ({ candidate, size: measure(candidate) ?? Infinity }))
    .filter(({ size }) => size < Infinity);
  return measured.toSorted((one, other) => one.size - other.size)[0]?.candidate;
}

/** Levenshtein's distance: how many letters must be put in, taken out or exchanged. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const exchanged = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(exchanged, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
