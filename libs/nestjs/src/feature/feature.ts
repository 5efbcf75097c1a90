import { assert } from '@holdfast/kernel';
import { type AnyDecider, type CombinedParts, combined } from '@holdfast/commands';
import type { ProblemKinds } from '../http/problem-catalogue.js';
import type { SqliteProjection } from './projection.js';

/** One domain. Its file knows no Nest: `EventStoreModule.forFeature` takes it from there, and so does the thread of a projection. */
export interface Feature extends Pick<CombinedParts, 'lookups' | 'retired'> {
  readonly deciders: readonly AnyDecider[];
  readonly projections?: readonly SqliteProjection[];
  /** The statuses and titles of refusals; 422 where left out. */
  readonly problems?: ProblemKinds;
  /** `import.meta.url` of the file whose default export this is: a thread imports it from there. */
  readonly url?: string;
}

export function feature(definition: Feature): Feature {
  return definition;
}

/** The feature that is the default export of the file at `url`. Throws `AssertionFailed` when there is none. */
export async function importFeature(url: string): Promise<Feature> {
  const { default: found } = (await import(url)) as { readonly default?: Partial<Feature> };
  assert(
    Array.isArray(found?.deciders),
    `a thread takes the feature from the default export of ${url}: write \`export default feature({ … })\` there`,
  );
  return found as Feature;
}

/** Everything that the features decide, as one model. Throws `AssertionFailed` when two of them have a decider, lookup, command or event of one name. */
export function modelOf(
  features: readonly Feature[],
  takesOver?: CombinedParts['takesOver'],
): ReturnType<typeof combined> {
  return combined({
    deciders: features.flatMap(({ deciders }) => deciders),
    lookups: features.flatMap(({ lookups = [] }) => lookups),
    retired: features.flatMap(({ retired = [] }) => retired),
    ...(takesOver && { takesOver }),
  });
}
