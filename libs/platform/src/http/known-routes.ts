interface KnownRoute {
  readonly methods: readonly string[];
  readonly pattern: RegExp;
}

/** The routes of an application, to say which methods an address takes when it does not take the one that was asked for. */
export class KnownRoutes {
  private readonly routes: KnownRoute[] = [];

  /** `url` is a route of Fastify: `/v1/ledgers/:ledger`. */
  add(methods: string | readonly string[], url: string): void {
    const source = url
      .split('/')
      .map((step) =>
        step.startsWith(':')
          ? '[^/]+'
          : step === '*'
            ? '.*'
            : step.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'),
      )
      .join('/');
    this.routes.push({
      methods: typeof methods === 'string' ? [methods] : methods,
      pattern: new RegExp(`^${source}$`),
    });
  }

  /** The methods of every route that the path fits; none when there is nothing at this address. */
  methodsAt(path: string): readonly string[] {
    const found = this.routes.filter(({ pattern }) => pattern.test(path));
    return [...new Set(found.flatMap(({ methods }) => methods))].sort();
  }
}
