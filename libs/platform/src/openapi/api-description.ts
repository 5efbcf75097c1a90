/**
 * The decorators that describe an API, under the names of `@nestjs/swagger`. They take note of what was said and load nothing: that package has a sixth of all
 * modules that a service would load, and only the document needs them. `describeApi` says it all to the package, in the same order.
 */
import type * as Swagger from '@nestjs/swagger';

type Described =
  | 'ApiBody'
  | 'ApiExcludeController'
  | 'ApiExtraModels'
  | 'ApiHeader'
  | 'ApiNoContentResponse'
  | 'ApiOkResponse'
  | 'ApiOperation'
  | 'ApiProperty'
  | 'ApiPropertyOptional'
  | 'ApiResponse'
  | 'ApiTags';

type Place = [target: object, key?: string | symbol, descriptor?: PropertyDescriptor];
type Decorator = (...place: Place) => void;

const notes: ((swagger: typeof Swagger) => void)[] = [];

function noted<Name extends Described>(name: Name): (typeof Swagger)[Name] {
  const decoratorOf =
    (...given: readonly unknown[]): Decorator =>
    (...place) => {
      notes.push((swagger) => {
        const make = swagger[name] as (...given: readonly unknown[]) => Decorator;
        make(...given)(...place);
      });
    };
  // It takes what the decorator of that name takes, and is one for the same places.
  return decoratorOf;
}

export const ApiBody = noted('ApiBody');
export const ApiExcludeController = noted('ApiExcludeController');
export const ApiExtraModels = noted('ApiExtraModels');
export const ApiHeader = noted('ApiHeader');
export const ApiNoContentResponse = noted('ApiNoContentResponse');
export const ApiOkResponse = noted('ApiOkResponse');
export const ApiOperation = noted('ApiOperation');
export const ApiProperty = noted('ApiProperty');
export const ApiPropertyOptional = noted('ApiPropertyOptional');
export const ApiResponse = noted('ApiResponse');
export const ApiTags = noted('ApiTags');

/** Where the document has the schema of a class, or of that name. */
export function getSchemaPath(model: string | { readonly name: string }): string {
  return `#/components/schemas/${typeof model === 'string' ? model : model.name}`;
}

/** Loads `@nestjs/swagger`, and says to it what the decorators were told since the last time. */
export async function describeApi(): Promise<typeof Swagger> {
  const swagger = await import('@nestjs/swagger');
  for (let [note] = notes; note !== undefined; [note] = notes) {
    note(swagger);
    notes.shift();
  }
  return swagger;
}
