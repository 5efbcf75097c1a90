/** What a DTO class describes, as a plain object: classes are there for OpenAPI, answers are never instances of them. */
export type Plain<Dto> = Dto extends readonly (infer Item)[]
  ? readonly Plain<Item>[]
  : Dto extends object
    ? { readonly [Field in keyof Dto]: Plain<Dto[Field]> }
    : Dto;
