import { type OpenAPIHono, z } from '@hono/zod-openapi';
import { EVENT_SCHEMAS } from '../../events/event.ts';
import { TEST_TYPE } from '../../webhooks/message.ts';
import type { HttpEnv } from '../context.ts';

const headers = z.object({
  'webhook-id': z.uuid().openapi({ description: 'Of the event: the same however often it is sent' }),
  'webhook-timestamp': z.string().openapi({ description: 'When it was sent, in seconds since 1970' }),
  'webhook-signature': z.string().openapi({
    description: 'One or two, with a space between them, as https://www.standardwebhooks.com has it',
  }),
});

const testSchema = z.object({ id: z.uuid(), endpointId: z.uuid() });

/** Tells the document what is sent to webhook endpoints: a message of each type of event. */
export function describeWebhooks(app: OpenAPIHono<HttpEnv>): void {
  for (const schema of EVENT_SCHEMAS) {
    describe(app, schema.shape.type.value, schema.omit({ cursor: true }).openapi(`${schema.meta()?.id ?? ''}Message`));
  }
  describe(app, TEST_TYPE, testSchema);
}

function describe(app: OpenAPIHono<HttpEnv>, type: string, data: z.ZodType): void {
  const message = z.object({ type: z.literal(type), timestamp: z.iso.datetime(), data });
  app.openAPIRegistry.registerWebhook({
    method: 'post',
    path: type,
    operationId: `on.${type}`,
    tags: ['webhooks'],
    summary: `Sent to endpoints that are told of \`${type}\``,
    request: { headers, body: { required: true, content: { 'application/json': { schema: message } } } },
    responses: {
      '2XX': { description: 'It was taken' },
      410: { description: 'Nothing more is to be sent: the endpoint is paused' },
      default: { description: 'It was not taken, and comes again' },
    },
  });
}
