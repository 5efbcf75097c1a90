import { describe, expect, it } from '@jest/globals';
import { nearestName } from './nearest.js';

const KNOWN = ['WAL_URL', 'WAL_HTTP_PORT', 'WAL_FEED_PORT', 'WAL_CORRUPT', 'WAL_CORRUPTED_PORT'];

describe('the name that was meant', () => {
  it.each([
    ['with a word left out', 'WAL_PORT', 'WAL_HTTP_PORT'],
    ['with its words in another order', 'WAL_PORT_FEED', 'WAL_FEED_PORT'],
    ['with a letter too few', 'WAL_FED_PORT', 'WAL_FEED_PORT'],
    ['the nearest of those that are near', 'WAL_CORUPT', 'WAL_CORRUPT'],
    ['none, when none is near', 'WAL_COLOUR', undefined],
    ['none for a single word that all have', 'WAL', undefined],
  ])('is the one %s', (_what, name, meant) => {
    expect(nearestName(name, KNOWN)).toBe(meant);
  });
});
