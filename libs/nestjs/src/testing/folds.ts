import { AssertionError } from 'node:assert';
import { hash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { RecordedEvent, StateSection, StateStore } from '@holdfast/event-store';
import { type Feature, modelOf } from '../feature/feature.js';
import { canonicalJson } from '../http/canonical-json.js';

/** What is made of some events: by a decider or a lookup, a state under each id; by a projection, rows. */
export interface Fold {
  readonly name: string;
  readonly version: number;
  /** Of events, where a new one makes the fold begin anew: ` RoomBooked@2`. */
  readonly eventVersions: string;
  readonly types: readonly string[];
  readonly made: unknown;
}

/** By name and version of the fold: the hash of the events, and of what is made of them. */
type Pinned = Record<string, { readonly events: string; readonly made: string }>;

/** What the deciders and lookups of a feature make of events. Throws `AssertionError` where a type of event is not among them. */
export function stateFolds(feature: Feature, events: readonly RecordedEvent[]): Fold[] {
  const model = modelOf([feature]);
  const given = new Set(events.map(({ type }) => type));
  const missing = model.schemas.filter(({ type }) => !given.has(type)).map(({ type }) => type);
  if (missing.length > 0)
    throw new AssertionError({ message: `no event is given of ${missing.join(', ')}` });
  const store = new ListedStateStore();
  for (const event of events) model.evolve(event, store);
  const { deciders, lookups = [] } = feature;
  const parts = [
    ...deciders.map(({ name, version = 1, evolve }) => ({ name, version, on: evolve })),
    ...lookups.map(({ name, version = 1, on }) => ({ name, version, on })),
  ];
  return parts.map(({ name, version, on }) => {
    const types = Object.keys(on);
    const raised = model.schemas.filter((one) => types.includes(one.type) && one.schemaVersion > 1);
    return {
      ...{ name, version, types, made: store.entries(`of/${name}`) },
      eventVersions: raised.map((one) => ` ${one.type}@${one.schemaVersion}`).join(''),
    };
  });
}

/**
 * Compares folds with the file that says what each version made of these events. What is not in it yet is written to it.
 *
 * @throws `AssertionError`: a fold makes something else than before under the same version, or the events are others.
 */
export function comparePinned(
  folds: readonly Fold[],
  events: readonly RecordedEvent[],
  file: string | URL,
): void {
  const pinned: Pinned = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Pinned) : {};
  const faults: string[] = [];
  for (const fold of folds) {
    const key = `${fold.name}-${fold.version}${fold.eventVersions}`;
    const handled = events.filter(({ type }) => fold.types.includes(type));
    const now = { events: digestOf(handled), made: digestOf(fold.made) };
    const before = (pinned[key] ??= now);
    if (before.events !== now.events)
      faults.push(
        `${fold.name} is given other events than those that ${key} stands for: give these again, or remove the entry if its fold is what it was`,
      );
    else if (before.made !== now.made)
      faults.push(
        `${fold.name} makes something else of the same events than before under version ${fold.version}, and a service would go on with what it has: raise the version to ${fold.version + 1}, or take the change back`,
      );
  }
  if (faults.length > 0)
    throw new AssertionError({ message: `${String(file)}: ${faults.join('; ')}` });
  writeFileSync(file, `${JSON.stringify(pinned, undefined, 2)}\n`);
}

function digestOf(made: unknown): string {
  return hash('sha256', canonicalJson(made), 'base64url');
}

/** State in memory whose entries can be listed. */
class ListedStateStore implements StateStore {
  private readonly sections = new Map<string, Map<string, unknown>>();

  section<Value extends object | string | number>(name: string): StateSection<Value> {
    const entries = this.sections.get(name) ?? new Map<string, Value>();
    this.sections.set(name, entries);
    return {
      get: (key) => entries.get(key) as Value | undefined,
      set: (key, value) => void entries.set(key, value),
      delete: (key) => void entries.delete(key),
      hasBeginning: (prefix) => [...entries.keys()].some((key) => key.startsWith(prefix)),
    };
  }

  entries(name: string): object {
    return Object.fromEntries(this.sections.get(name) ?? []);
  }
}
