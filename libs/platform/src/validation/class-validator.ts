import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);

type ClassValidator = typeof import('class-validator');
type ClassTransformer = typeof import('class-transformer');

/**
 * What is used of class-validator and class-transformer, each from the file that it stands in. Their entries load 350 files: every decorator there is, and the phone numbers of all
 * countries. What they register goes where it goes with the entries, so a DTO may have decorators from here and from there.
 */
export const { ValidateBy } = constraint<'ValidateBy'>('common/ValidateBy');
export const { ValidateIf } = constraint<'ValidateIf'>('common/ValidateIf');
export const { ValidateNested } = constraint<'ValidateNested'>('common/ValidateNested');
export const { IsIn } = constraint<'IsIn'>('common/IsIn');
export const { IsArray } = constraint<'IsArray'>('typechecker/IsArray');
export const { IsBoolean } = constraint<'IsBoolean'>('typechecker/IsBoolean');
export const { IsInt } = constraint<'IsInt'>('typechecker/IsInt');
export const { IsObject } = constraint<'IsObject'>('typechecker/IsObject');
export const { IsString } = constraint<'IsString'>('typechecker/IsString');
export const { Max } = constraint<'Max'>('number/Max');
export const { Min } = constraint<'Min'>('number/Min');
export const { length } = constraint<'length'>('string/Length');
export const { Matches } = constraint<'Matches'>('string/Matches');
export const { MaxLength, maxLength } = constraint<'MaxLength' | 'maxLength'>('string/MaxLength');
export const { MinLength, minLength } = constraint<'MinLength' | 'minLength'>('string/MinLength');
export const { ArrayMaxSize } = constraint<'ArrayMaxSize'>('array/ArrayMaxSize');
export const { ArrayMinSize } = constraint<'ArrayMinSize'>('array/ArrayMinSize');

export const { getMetadataStorage } = load(
  'class-validator/cjs/metadata/MetadataStorage.js',
) as Pick<ClassValidator, 'getMetadataStorage'>;
export const { Type } = load('class-transformer/cjs/decorators/type.decorator.js') as Pick<
  ClassTransformer,
  'Type'
>;
export const { TransformationType } = load('class-transformer/cjs/enums/index.js') as Pick<
  ClassTransformer,
  'TransformationType'
>;

function constraint<Name extends keyof ClassValidator>(file: string): Pick<ClassValidator, Name> {
  return load(`class-validator/cjs/decorator/${file}.js`) as Pick<ClassValidator, Name>;
}
