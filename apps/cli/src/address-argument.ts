import { ADDRESS_ALLOWED, addressOf } from '@holdfast/kernel';
import { InvalidArgumentError } from 'commander';

/** What `--url` takes is what the variables take that stand for it. */
export function addressArgument(text: string): string {
  const address = addressOf(text);
  if (address === undefined) throw new InvalidArgumentError(`It must be ${ADDRESS_ALLOWED}.`);
  return address;
}
