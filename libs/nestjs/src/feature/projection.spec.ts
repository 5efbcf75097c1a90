import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { givenEvents } from '../testing/given-events.js';
import { type ParcelEvent, parcel } from '../testing/parcels.js';
import { type ProjectionDefinition, projection } from './projection.js';

const sent = parcel.on('a', { type: 'ParcelSent', data: { town: 'Bern', grams: 1 } });
const late = { name: 'late', version: 1, tables: [] };
type Steps = ProjectionDefinition<ParcelEvent>['on'];

it.each([
  ['a promise that rejects', () => Promise.reject(new Error('too late to be heard'))],
  ['a promise', () => Promise.resolve()],
  ['a thenable', () => ({ then: () => undefined })],
])('refuses the event of a step that returns %s', async (_, step) => {
  // As somebody writes it without a compiler.
  const on = { ParcelSent: step } as unknown as Steps;
  const projected = givenEvents(sent).project(projection<ParcelEvent>({ ...late, on }));
  await expect(projected).rejects.toThrow(
    'the step of late for ParcelSent returns a promise: a step is synchronous',
  );
  // A rejection that nobody hears would end the process now.
  await turn();
});

/** Held by the type-checker. */
it('has no step that would be waited for', () => {
  const row = { changes: 1 };
  projection<ParcelEvent>({ ...late, on: { ParcelSent: () => row, ParcelHandedOver: () => 1 } });
  const nothing = (): void => undefined;
  projection<ParcelEvent>({ ...late, on: { ParcelSent: nothing, ParcelHandedOver: () => null } });
  projection<ParcelEvent>({
    ...late,
    on: {
      // @ts-expect-error a step is synchronous
      ParcelSent: async () => {
        await turn();
      },
      // @ts-expect-error so a promise in an expression does not compile either
      ParcelHandedOver: () => Promise.resolve(1),
    },
  });
});
