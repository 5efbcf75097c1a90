import type { FastifyInstance } from 'fastify';

interface Link {
  readonly path: string;
  readonly what: string;
}

/** `GET /`: where to go from here, as a page for a browser and as JSON for anybody else. */
export function serveFrontPage(
  fastify: FastifyInstance,
  { title, isDescribed }: { readonly title: string; readonly isDescribed: boolean },
): void {
  const links = linksOf(isDescribed);
  const page = pageOf(title, links);
  const json = JSON.stringify({
    title,
    links: Object.fromEntries(links.map(({ path, what }) => [path, what])),
  });
  fastify.get('/', ({ headers }, reply) => {
    void reply.header('vary', 'accept');
    return /\btext\/html\b/.test(headers.accept ?? '')
      ? reply
          .header('content-type', 'text/html; charset=utf-8')
          .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
          .send(page)
      : reply.header('content-type', 'application/json').send(json);
  });
}

function linksOf(isDescribed: boolean): readonly Link[] {
  return [
    ...(isDescribed
      ? [
          { path: '/docs', what: 'every request, to be tried' },
          { path: '/openapi.json', what: 'the same for programs' },
        ]
      : []),
    { path: '/health/ready', what: 'whether it takes requests, and why not' },
    { path: '/metrics', what: 'figures for Prometheus' },
    { path: '/problems', what: 'every refusal and what it means' },
  ];
}

function pageOf(title: string, links: readonly Link[]): string {
  const items = links.map(({ path, what }) => `<li><a href="${path}">${path}</a>: ${what}</li>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${asHtml(title)}</title>
<style>body { font: 1rem/1.6 system-ui, sans-serif; margin: 3rem auto; max-width: 40rem; padding: 0 1rem }</style>
</head>
<body>
<h1>${asHtml(title)}</h1>
<ul>
${items.join('\n')}
</ul>
</body>
</html>
`;
}

export function asHtml(text: string): string {
  return text.replace(/[<>&]/g, (character) => `&#${character.charCodeAt(0)};`);
}
