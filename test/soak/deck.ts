import type { SeededRandom } from '../support/seeded-random.js';
import type { Disturbance } from './disturbance.js';

/** Deals every disturbance that is possible, in an order that the seed makes, again and again. */
export class Deck {
  private cards: Disturbance[] = [];

  constructor(
    private readonly possible: readonly Disturbance[],
    private readonly random: SeededRandom,
  ) {}

  next(): Disturbance {
    if (this.cards.length === 0)
      this.cards = this.possible.flatMap((one) => Array<Disturbance>(one.cards).fill(one));
    const [card] = this.cards.splice(this.random.between(0, this.cards.length - 1), 1);
    if (card === undefined) throw new Error('a deck has cards');
    return card;
  }
}
