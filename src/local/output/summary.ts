import { EXAMPLE_LEAD } from '../../leads/example-lead.ts';
import type { Plan } from '../plan.ts';

/** What to open and what to paste, once everything is up. */
export function describeStack(plan: Plan, needsKey: boolean): string {
  const { api, board, webUiUrl } = plan;
  const body = JSON.stringify(EXAMPLE_LEAD, undefined, 2).replaceAll('\n', '\n  ');
  const key = needsKey ? '\n    -H "Authorization: Bearer $API_KEY" \\' : '';
  const demo = needsKey ? 'npm run demo -- --key $API_KEY' : 'npm run demo';
  return `
  API              ${api.url}
  API keys         ${needsKey ? howToMakeKey(plan) : 'not needed: API_AUTH=off, only this machine can connect'}
  API docs         ${api.url}/docs
  Board            ${board.url}/board${needsKey ? `, for an operator: ${keysCommand(plan)} create-operator --name me` : ''}
  Temporal Web UI  ${webUiUrl}

  Send a lead, and open what it answers under Location, with /timeline after it:

  curl -i -X POST ${api.url}/api/leads \\${key}
    -H "Content-Type: application/json" \\
    -d '${body}'

  Or watch one from start to score, in another terminal:  ${demo}
  Ctrl-C stops everything; the data stays.
`;
}

function howToMakeKey(plan: Plan): string {
  const options = `--organization ${EXAMPLE_LEAD.organizationId} --name first --scopes all`;
  return `needed; make one in another terminal:
  export API_KEY=$(${keysCommand(plan)} create ${options})`;
}

/** The address of a database that is not ours may have a password: it is not shown. */
function keysCommand({ postgres, databaseUrl }: Plan): string {
  return `${postgres ? `DATABASE_URL=${databaseUrl} ` : ''}npm run -s keys --`;
}
