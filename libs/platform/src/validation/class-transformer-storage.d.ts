/** What is read of class-transformer's storage, which has no public entry and whose own types hide that nothing may be found. */
declare module 'class-transformer/cjs/storage.js' {
  import type { TransformationType } from 'class-transformer';

  type DecoratedClass = new () => object;

  export const defaultMetadataStorage: {
    findTransformMetadatas(
      target: DecoratedClass,
      propertyName: string,
      transformationType: TransformationType,
    ): readonly object[];
    findExposeMetadata(target: DecoratedClass, propertyName: string): object | undefined;
    findExcludeMetadata(target: DecoratedClass, propertyName: string): object | undefined;
    findTypeMetadata(target: DecoratedClass, propertyName: string): object | undefined;
  };
}
