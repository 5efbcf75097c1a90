import { ChoiceVariable } from './variable.js';

/** How read models are kept. */
export class ReadModelConfiguration {
  @ChoiceVariable('HOLDFAST_READ_MODEL_DIVERGED', {
    default: 'rebuild',
    meaning:
      'What happens to a read model that has seen a history that the log no longer has, because it was restored or an older copy was put in its place. Queries are 503 `projection-lagging` from then on. `rebuild` makes it anew from the log; `refuse` waits for an operator. One of another log is always refused. Tables of a new version of the read model take over from both, since they are made of the log that is there.',
    choices: ['rebuild', 'refuse'],
  })
  readonly diverged!: 'rebuild' | 'refuse';
}
