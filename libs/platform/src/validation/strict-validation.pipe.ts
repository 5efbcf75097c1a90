import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { assert } from '@holdfast/kernel';
import { pointerStep } from '../json/json-pointer.js';
import { ProblemException } from '@holdfast/nestjs/http';
import { type FieldError, compileValidator } from './compile-validator.js';
import type { DtoClass } from './nested.js';

/** Where in a request a field stands. */
export type RequestPart = 'body' | 'query' | 'path';

const ERRORS_TOLD_MAX = 100;

/**
 * Makes DTOs from bodies, query strings and path parameters, or answers `invalid-request` with
 * `errors: [{ in, pointer, detail }]`. Nothing is converted: a query parameter is text.
 */
@Injectable()
export class StrictValidationPipe implements PipeTransform {
  transform(value: unknown, { type, metatype, data }: ArgumentMetadata): unknown {
    if (type !== 'body' && type !== 'query' && type !== 'param') return value;
    const part = type === 'param' ? 'path' : type;
    if (metatype === String) return textParameter(value, part, data ?? '');
    assert(metatype !== undefined, 'every parameter has a class: it was inspected at the start');
    // The inspection has compiled the class, so it is one that takes no arguments.
    const validated = compileValidator(metatype as DtoClass)(value);
    if (validated.valid) return validated.value;
    throw invalidRequest(part, validated.errors);
  }
}

export function invalidRequest(part: RequestPart, errors: readonly FieldError[]): ProblemException {
  return new ProblemException('invalid-request', {
    parameters: {
      errors: errors
        .slice(0, ERRORS_TOLD_MAX)
        .map(({ pointer, detail }) => ({ in: part, pointer, detail })),
    },
  });
}

function textParameter(value: unknown, part: RequestPart, name: string): string {
  if (typeof value === 'string') return value;
  throw invalidRequest(part, [{ pointer: pointerStep(name), detail: `${name} must be a text` }]);
}
