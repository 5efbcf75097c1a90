/** The parts of an OpenAPI document that a request is made of. */
export interface OpenApiDocument {
  readonly servers: readonly { readonly url: string }[];
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly tags: readonly { readonly name: string; readonly description?: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, OpenApiSchema>> };
}

export interface OpenApiOperation {
  readonly tags?: readonly string[];
  readonly parameters?: readonly OpenApiParameter[];
  readonly requestBody?: {
    readonly content: Readonly<
      Record<string, { readonly schema: OpenApiSchema; readonly examples?: Examples<object> }>
    >;
  };
  readonly responses: Readonly<
    Record<
      string,
      { readonly description?: string; readonly headers?: Readonly<Record<string, object>> }
    >
  >;
}

export interface OpenApiParameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly example?: unknown;
  readonly examples?: Examples;
  readonly schema: OpenApiSchema;
}

export interface OpenApiSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly example?: unknown;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly oneOf?: readonly OpenApiSchema[];
  readonly allOf?: readonly OpenApiSchema[];
  readonly items?: OpenApiSchema;
  readonly properties?: Readonly<Record<string, OpenApiSchema>>;
}

type Examples<Value = unknown> = Readonly<Record<string, { readonly value: Value }>>;

/** One request that the document shows. */
export interface ExampleRequest {
  /** Such as `POST /v1/ledgers/{ledger}/transfers (deposit)`. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object | undefined;
  readonly operation: OpenApiOperation;
}

/**
 * Every request that the document shows, in its order: for each operation the examples of its body by name, with the header fields of
 * that name, or one request of what its parameters show. `made` gives path parameters that only an earlier answer can tell.
 */
export function* exampleRequests(
  { paths }: OpenApiDocument,
  made: (parameter: string) => string | undefined,
): Generator<ExampleRequest> {
  for (const [template, operations] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const { examples } = operation.requestBody?.content['application/json'] ?? {};
      for (const [example, body] of Object.entries<{ readonly value?: object }>(
        examples ?? { '': {} },
      ))
        yield {
          name: `${method.toUpperCase()} ${template}${example && ` (${example})`}`,
          method: method.toUpperCase(),
          path: pathOf(template, operation, made),
          headers: headersOf(operation, example),
          body: body.value,
          operation,
        };
    }
  }
}

/** What a page such as /docs makes of a schema whose properties have examples. */
export function sampleOf(schema: OpenApiSchema, document: OpenApiDocument): unknown {
  const { $ref, oneOf, allOf, items, properties } = schema;
  if (schema.example !== undefined) return schema.example;
  if (schema.default !== undefined) return schema.default;
  if ($ref !== undefined)
    return sampleOf(document.components.schemas[$ref.split('/').at(-1) ?? ''] ?? {}, document);
  const [first] = [...(oneOf ?? []), ...(allOf ?? [])];
  if (first !== undefined) return sampleOf(first, document);
  if (schema.enum !== undefined) return schema.enum[0];
  if (items !== undefined) return [sampleOf(items, document)];
  if (properties !== undefined)
    return Object.fromEntries(
      Object.entries(properties)
        .map(([name, property]) => [name, sampleOf(property, document)] as const)
        .filter(([, value]) => value !== undefined),
    );
  return undefined;
}

function pathOf(
  template: string,
  { parameters = [] }: OpenApiOperation,
  made: (parameter: string) => string | undefined,
): string {
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const parameter = parameters.find((one) => one.in === 'path' && one.name === name);
    return encodeURIComponent(made(name) ?? shown(parameter, ''));
  });
  const query = parameters
    .filter((parameter) => parameter.in === 'query' && shown(parameter, '') !== '')
    .map((parameter): [string, string] => [parameter.name, shown(parameter, '')]);
  return query.length === 0 ? path : `${path}?${new URLSearchParams(query).toString()}`;
}

function headersOf({ parameters = [] }: OpenApiOperation, example: string): Record<string, string> {
  return Object.fromEntries(
    parameters
      .filter((parameter) => parameter.in === 'header' && shown(parameter, example) !== '')
      .map((parameter) => [parameter.name, shown(parameter, example)]),
  );
}

/** What the document shows for a parameter in an example of this name; empty: nothing. */
function shown(parameter: OpenApiParameter | undefined, example: string): string {
  const value =
    parameter?.examples?.[example]?.value ?? parameter?.example ?? parameter?.schema.example;
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
