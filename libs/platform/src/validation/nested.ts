// Type reads the property's declared type from it.
import 'reflect-metadata';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsObject,
  Type,
  ValidateNested,
} from './class-validator.js';

export type DtoClass<Dto extends object = object> = new () => Dto;

const nestedTypes = new WeakMap<object, Map<string, () => DtoClass>>();

/** The property is an object of this class. */
export function IsNested(type: () => DtoClass): PropertyDecorator {
  return together(remember(type), IsObject(), ValidateNested(), Type(type));
}

/** The property is a list of objects of this class. `ValidateNested` alone would let `[[], []]` pass. */
export function IsNestedList(
  type: () => DtoClass,
  size: { readonly min: number; readonly max: number },
): PropertyDecorator {
  return together(
    remember(type),
    IsArray(),
    ArrayMinSize(size.min),
    ArrayMaxSize(size.max),
    IsObject({ each: true }),
    ValidateNested({ each: true }),
    Type(type),
  );
}

/** The class that `IsNested` or `IsNestedList` gave for a property of this class or of one it extends. */
export function nestedType(dto: DtoClass, property: string): DtoClass | undefined {
  for (
    let prototype: unknown = dto.prototype;
    typeof prototype === 'object' && prototype !== null;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    const type = nestedTypes.get(prototype)?.get(property);
    if (type !== undefined) return type();
  }
  return undefined;
}

function remember(type: () => DtoClass): PropertyDecorator {
  return (target, property) => {
    const types = nestedTypes.get(target) ?? new Map<string, () => DtoClass>();
    nestedTypes.set(target, types.set(String(property), type));
  };
}

function together(...decorators: readonly PropertyDecorator[]): PropertyDecorator {
  return (target, property) => {
    for (const decorate of decorators) decorate(target, property);
  };
}
