import { CodedError } from '@holdfast/kernel';

/** The environment does not make a valid configuration. Every problem is told at once, so that one restart mends them all. */
export class ConfigurationInvalid extends CodedError {
  override readonly name = 'ConfigurationInvalid';

  /** `problems` are sentences that name the variable, its value and what is allowed. */
  constructor(readonly problems: readonly string[]) {
    super('CONFIGURATION_INVALID', `the configuration is not valid:\n- ${problems.join('\n- ')}`, {
      problems: problems.length,
    });
  }
}
