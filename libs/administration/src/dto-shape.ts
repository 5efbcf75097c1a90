/** What a DTO class describes, as a plain object: classes are there for OpenAPI, answers are never instances of them. */
export type DtoShape<Dto> = Dto extends readonly (infer Item)[]
  ? readonly DtoShape<Item>[]
  : Dto extends object
    ? { readonly [Field in keyof Dto]: DtoShape<Dto[Field]> }
    : Dto;
