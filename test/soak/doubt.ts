/** Something that must never be. The first one ends the soak. */
export class Doubt extends Error {
  override readonly name = 'Doubt';

  static of(faults: readonly string[]): Doubt {
    const shown = faults.slice(0, FAULTS_SHOWN_MAX).join('\n');
    const more = faults.length - FAULTS_SHOWN_MAX;
    return new Doubt(more > 0 ? `${shown}\n… and ${more} more` : shown);
  }
}

const FAULTS_SHOWN_MAX = 20;
