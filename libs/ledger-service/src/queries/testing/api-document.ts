import { assert } from '@holdfast/kernel';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { TestReply } from './ledger-service.js';

interface Documented {
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

interface Operation {
  readonly responses: Readonly<Record<string, Documented>>;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
}

type Paths = Readonly<Record<string, { readonly get?: Operation }>>;

const OUR_HEADERS = ['etag', 'holdfast-position'];

/** The OpenAPI document as a service serves it, for holding its answers to queries to it. */
export class ApiDocument {
  private readonly ajv = new Ajv2020({ strict: false, allErrors: true });

  private constructor(
    readonly paths: Paths,
    components: object,
  ) {
    addFormats.default(this.ajv);
    this.ajv.addSchema({ $id: 'api', components });
  }

  static async of(url: string): Promise<ApiDocument> {
    const served: unknown = await (await fetch(`${url}/openapi.json`)).json();
    const { paths, components } = served as { paths: Paths; components: object };
    return new ApiDocument(paths, components);
  }

  /** Throws when the document does not allow the answer, or knows no such query. */
  hold(pathWithQuery: string, { status, headers, body }: TestReply<unknown>): void {
    const [path = '', query = ''] = pathWithQuery.split('?');
    const operation = this.operationAt(path);
    const documented = operation.responses[String(status)];
    assert(documented !== undefined, `GET ${path} is documented to answer ${status}`);
    for (const name of OUR_HEADERS)
      assert(
        status >= 400 || !headers.has(name) || hasHeader(documented, name),
        `${name} of GET ${path} is documented`,
      );
    if (status < 400)
      for (const name of new URLSearchParams(query).keys())
        assert(
          operation.parameters?.some((known) => known.in === 'query' && known.name === name) ===
            true,
          `the parameter ${name} of GET ${path} is documented`,
        );
    if (body !== undefined) this.holdBody(path, documented, headers, body);
  }

  private holdBody(path: string, documented: Documented, headers: Headers, body: unknown): void {
    const mediaType = headers.get('content-type')?.split(';')[0] ?? '';
    const schema = documented.content?.[mediaType]?.schema;
    assert(schema !== undefined, `GET ${path} is documented to answer with ${mediaType}`);
    const text = JSON.stringify(schema).replaceAll('"#/components/', '"api#/components/');
    const validate = this.ajv.compile(JSON.parse(text) as object);
    assert(validate(body), `GET ${path}: ${JSON.stringify([validate.errors, body])}`);
  }

  private operationAt(path: string): Operation {
    const steps = path.split('/');
    const templates = Object.keys(this.paths).filter((template) => matches(template, steps));
    // Of `/a/{b}` and `/a/c`, a path means the one that says more.
    const [template = ''] = templates.sort((one, other) => parameters(one) - parameters(other));
    const operation = this.paths[template]?.get;
    assert(operation !== undefined, `GET ${path} is documented`);
    return operation;
  }
}

function matches(template: string, steps: readonly string[]): boolean {
  const parts = template.split('/');
  return (
    parts.length === steps.length &&
    parts.every((part, index) => part.startsWith('{') || part === steps[index])
  );
}

function parameters(template: string): number {
  return template.split('{').length;
}

function hasHeader({ headers = {} }: Documented, name: string): boolean {
  return Object.keys(headers).some((header) => header.toLowerCase() === name);
}
