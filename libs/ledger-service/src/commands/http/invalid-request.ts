import { ProblemException } from '@holdfast/platform';

/** A header field that breaks its grammar. */
export function invalidHeader(name: string, problem: string): ProblemException {
  return new ProblemException('invalid-request', {
    parameters: { errors: [{ in: 'header', pointer: `/${name}`, detail: `${name} ${problem}` }] },
  });
}
