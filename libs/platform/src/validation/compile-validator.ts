import type { DtoClass } from './nested.js';

/** One thing wrong with a document: where (RFC 6901 JSON pointer, `/legs/0/amount`) and what. */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

export type Validated<Dto> =
  | { readonly valid: true; readonly value: Dto }
  | { readonly valid: false; readonly errors: readonly FieldError[] };

/** Checks one value and makes the DTO from it. `pointer` is where the value stands in the document. */
export type CompiledValidator<Dto> = (value: unknown, pointer?: string) => Validated<Dto>;

/**
 * A validator for a DTO class, made once from its class-validator decorators. Throws `AssertionFailed` for a class that it could
 * not check exactly as class-validator would.
 */
export function compileValidator<Dto extends object>(dto: DtoClass<Dto>): CompiledValidator<Dto> {
  throw new Error(`not built yet: ${dto.name}`);
}
