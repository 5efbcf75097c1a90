import { AssertionError } from 'node:assert';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lookup } from '@holdfast/commands';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Feature } from '../feature/feature.js';
import { projection } from '../feature/projection.js';
import { givenEvents } from './given-events.js';
import { type ParcelEvent, parcel, parcels, parcelsOfTown, shelf } from './parcels.js';

const sent = (town = 'Bern') => parcel.on('a', { type: 'ParcelSent', data: { town, grams: 1 } });
const other = parcel.on('b', { type: 'ParcelSent', data: { town: 'Chur', grams: 2 } });
const handedOver = parcel.on('a', { type: 'ParcelHandedOver', data: { to: 'ann' } });
const events = [sent(), other, handedOver] as const;

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'folds-'));
  file = join(directory, 'folds.json');
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const folded = (feature: Partial<Feature> = {}, given = events) =>
  givenEvents(...given).expectFolds({ ...parcels, ...feature }, file);
const entries = () => JSON.parse(readFileSync(file, 'utf8')) as Record<string, object>;

/** The folds of the parcels, each with a change of what it makes of the same events. */
const evolve = {
  ...parcel.evolve,
  ParcelSent: (_: unknown, { town }: { town: string }) => ({ town: `${town}!`, to: null }),
};
const counting = (by: number, version = 1) =>
  lookup<number, ParcelEvent>({
    ...{ ...parcelsOfTown, version },
    on: { ParcelSent: ({ data: { town } }) => [[town, (count) => count + by]] },
  });
const heavier = (by: number, version = 1) =>
  projection<ParcelEvent>({
    ...{ name: shelf.name, version, tables: shelf.tables },
    on: {
      ParcelSent: ({ id, data: { town, grams } }, tables) =>
        tables.prepare('INSERT INTO parcels VALUES (?, ?, ?)').run(id, town, grams + by),
      ParcelHandedOver: ({ id }, tables) =>
        tables.prepare('DELETE FROM parcels WHERE id = ?').run(id),
    },
  });

describe('what is made of events is kept by version', () => {
  it('is written first, and the same again', async () => {
    await folded();
    expect(Object.keys(entries())).toEqual(['parcel-1', 'parcels-of-town-1', 'shelf-1']);
    const text = readFileSync(file, 'utf8');
    // Written otherwise, it makes the same.
    await folded({ lookups: [counting(1)], projections: [heavier(0)] });
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it.each<[string, Partial<Feature>, Partial<Feature>]>([
    [
      'parcel',
      { deciders: [{ ...parcel, evolve }] },
      { deciders: [{ ...parcel, evolve, version: 2 }] },
    ],
    ['parcels-of-town', { lookups: [counting(2)] }, { lookups: [counting(2, 2)] }],
    ['shelf', { projections: [heavier(1)] }, { projections: [heavier(1, 2)] }],
  ])('fails when %s makes something else without a new version', async (name, changed, raised) => {
    await folded();
    const text = readFileSync(file, 'utf8');
    await expect(folded(changed)).rejects.toThrow(AssertionError);
    await expect(folded(changed)).rejects.toThrow(
      `${name} makes something else of the same events than before under version 1`,
    );
    expect(readFileSync(file, 'utf8')).toBe(text);
    const before = entries();
    await folded(raised);
    expect(entries()).toEqual({ ...before, [`${name}-2`]: expect.anything() });
    // And back: what an old version makes stays known.
    await folded();
  });

  it('says so where the events are others, or do not have each type', async () => {
    await folded();
    await expect(folded({}, [sent('Basel'), other, handedOver])).rejects.toThrow(
      'parcel is given other events than those that parcel-1 stands for',
    );
    await expect(givenEvents(sent()).expectFolds(parcels, file)).rejects.toThrow(
      'no event is given of ParcelHandedOver',
    );
    writeFileSync(file, '{}');
    await folded({}, [sent('Basel'), other, handedOver]);
  });

  it('begins anew with a new version of an event, by which a service begins anew too', async () => {
    await folded();
    const schemas = { ParcelSent: { version: 2, upcast: { 1: (data: object) => data } } };
    await folded({ deciders: [{ ...parcel, schemas: schemas as never }] });
    expect(Object.keys(entries())).toEqual(
      expect.arrayContaining(['parcel-1 ParcelSent@2', 'parcels-of-town-1 ParcelSent@2']),
    );
  });
});
