import { EXAMPLE_LEAD } from '../demo/example-lead.ts';
import type { Plan } from '../plan.ts';

/** What to open and what to paste, once everything is up. */
export function describeStack({ api, webUiUrl }: Plan, needsKey: boolean): string {
  const body = JSON.stringify(EXAMPLE_LEAD, undefined, 2).replaceAll('\n', '\n  ');
  const key = needsKey ? '\n    -H "Authorization: Bearer $API_KEY" \\' : '';
  return `
  API              ${api.url}
  API docs         ${api.url}/docs
  Temporal Web UI  ${webUiUrl}

  Send a lead, and open what it answers under Location, with /timeline after it:

  curl -i -X POST ${api.url}/api/leads \\${key}
    -H "Content-Type: application/json" \\
    -d '${body}'

  Or watch one from start to score, in another terminal:  npm run demo
  Ctrl-C stops everything; the data stays.
`;
}
