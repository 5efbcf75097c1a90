import { type FieldError, ProblemException } from '@holdfast/platform';

/** A header field that breaks its grammar. */
export function invalidHeader(name: string, problem: string): ProblemException {
  return new ProblemException('invalid-request', {
    parameters: { errors: [{ in: 'header', pointer: `/${name}`, detail: `${name} ${problem}` }] },
  });
}

/** A field of the body as the domain names it, `legs[1].amount`, as a JSON pointer under `base`. */
export function fieldError(field: string, problem: string, base = ''): FieldError {
  const pointer = field.replaceAll(/\[(\d+)\]/g, '/$1').replaceAll('.', '/');
  const name = field.slice(field.lastIndexOf('.') + 1);
  return { pointer: `${base}${pointer === '' ? '' : '/'}${pointer}`, detail: `${name} ${problem}` };
}
