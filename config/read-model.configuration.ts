import { ChoiceVariable } from './variable.js';

/** How read models are kept. */
export class ReadModelConfiguration {
  @ChoiceVariable('HOLDFAST_READ_MODEL_DIVERGED', {
    default: 'rebuild',
    meaning:
      'What happens to a read model of a history that the log no longer has, because the log was restored or replaced by an older copy. Queries are 503 `projection-lagging` from then on. `rebuild` rebuilds it from the log; `refuse` waits for an operator. A read model of another log is always refused. Tables of a new version of the read model replace it in either case, since they are built from the present log.',
    choices: ['rebuild', 'refuse'],
  })
  readonly diverged!: 'rebuild' | 'refuse';
}
