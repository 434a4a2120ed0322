import type { World } from '../world/world.ts';

/** What has to be on the timeline of an onboarded lead, once each; each entry comes after those that it names. */
const ORDER: Record<string, string[]> = {
  'lead.created': [],
  'onboarding.started': ['lead.created'],
  'notification.created': ['onboarding.started'],
  'enrichment.started': ['onboarding.started'],
  'enrichment.completed': ['enrichment.started'],
  'score.calculated': ['enrichment.completed'],
  'onboarding.completed': ['score.calculated', 'notification.created'],
};

interface Entry {
  leadId: string;
  type: string;
  at: Date;
}

/** @returns what is wrong with the timelines of an organization's leads, in words; touches may stand anywhere. */
export async function faultsOfTimelines(world: World, organizationId: string, leadIds: string[]): Promise<string[]> {
  const { rows } = await world.database.query<Entry>(
    `SELECT lead_id AS "leadId", type, at FROM lead_event
     WHERE organization_id = $1 AND type <> 'lead.touched' ORDER BY lead_id, at, seq`,
    [organizationId],
  );
  const timelines = new Map<string, Entry[]>(leadIds.map((id) => [id, []]));
  for (const row of rows) timelines.get(row.leadId)?.push(row);
  return [...timelines].flatMap(([leadId, entries]) => faultsOf(entries).map((fault) => `${leadId}: ${fault}`));
}

function faultsOf(entries: Entry[]): string[] {
  const types = entries.map(({ type }) => type);
  const unknown = types.filter((type) => !(type in ORDER)).map((type) => `${type} is not expected`);
  const known = Object.entries(ORDER).flatMap(([type, earlier]) => {
    const times = types.filter((entry) => entry === type).length;
    if (times !== 1) return [`${type} ${times} times`];
    return earlier
      .filter((before) => types.indexOf(before) > types.indexOf(type))
      .map((before) => `${type} before ${before}`);
  });
  return [...unknown, ...known];
}
