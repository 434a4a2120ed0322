import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { absolutePath } from 'swagger-ui-dist';
import { describeHeaders } from './headers.ts';
import { describeWebhooks } from './webhooks.ts';
import { API_KEY, OPERATOR_KEY, STREAM_KEY, STREAM_TOKEN } from '../guards/authorization.ts';
import type { HttpEnv } from '../context.ts';

const ASSETS = { 'swagger-ui.css': 'text/css', 'swagger-ui-bundle.js': 'text/javascript' } as const;

const START = "SwaggerUIBundle({ url: '/openapi.json', dom_id: '#docs', deepLinking: true, validatorUrl: null });";

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Lead onboarding API</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css" />
    <link rel="icon" href="data:," />
  </head>
  <body>
    <div id="docs"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script>${START}</script>
  </body>
</html>`;

/** Only what is served here, and the one script in the page. */
const PAGE_POLICY = [
  "default-src 'none'",
  `script-src 'self' 'sha256-${createHash('sha256').update(START).digest('base64')}'`,
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** `GET /openapi.json`, and `GET /docs`, which works without a network: its assets come from the package. */
export function documentationRoutes(app: OpenAPIHono<HttpEnv>): void {
  app.openAPIRegistry.registerComponent('securitySchemes', API_KEY, {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key, `lok_…`. Each operation names the scope that it needs.',
  });
  app.openAPIRegistry.registerComponent('securitySchemes', STREAM_KEY, {
    type: 'apiKey',
    in: 'query',
    name: STREAM_TOKEN,
    description: 'A stream token, `lst_…`, for one who cannot send a header, as `EventSource` in a browser.',
  });
  app.openAPIRegistry.registerComponent('securitySchemes', OPERATOR_KEY, {
    type: 'http',
    scheme: 'bearer',
    description: "An operator's key, `lop_…`, which is about all organizations. Its one scope is `ops`.",
  });
  describeWebhooks(app);
  const describe = () =>
    describeHeaders(
      app.getOpenAPI31Document({
        openapi: '3.1.0',
        info: {
          title: 'Lead onboarding',
          version: '0.1.0',
          description: 'Takes sales leads in, and onboards each of them durably: notify, wait, enrich, score.',
          license: { name: 'MIT' },
        },
        servers: [
          { url: '/', description: 'Where this document is' },
          { url: 'http://127.0.0.1:3000', description: '`npm start`' },
        ],
      }),
    );
  let document: ReturnType<typeof describe> | undefined; // of all routes, those too that are added after this one
  app.get('/openapi.json', (c) => c.json((document ??= describe())));
  app.get('/docs', (c) => c.html(PAGE, 200, { 'content-security-policy': PAGE_POLICY }));
  for (const [name, type] of Object.entries(ASSETS)) {
    app.get(`/docs/${name}`, async (c) => {
      const content = await readFile(join(absolutePath(), name));
      return c.body(content, 200, { 'content-type': type, 'cache-control': 'public, max-age=86400' });
    });
  }
}
