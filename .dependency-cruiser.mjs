/**
 * The floors of the house, from the top; docs/architecture.md draws them. A room imports what is on floors below its own:
 * nothing above, and not the room next door.
 */
const FLOORS = [
  ['src/[^/]+[.]ts', 'src/local'],
  ['src/process', 'src/http', 'src/board', 'activities'],
  ['src/ops'],
  ['src/reconciler', 'src/personal-data', 'src/statistics'],
  ['src/failures'],
  ['src/onboarding'],
  ['src/scoring', 'src/webhooks'],
  ['src/enrichment', 'src/notifications', 'src/forms', 'src/events'],
  ['src/leads'],
  ['src/outbox', 'src/api-keys'],
  ['src/audit', 'src/command', 'src/streams'],
  ['src/temporal', 'src/db', 'src/rate-limit', 'src/safe-fetch'],
  ['src/telemetry', 'workflows'],
];

/** @param {string[]} rooms */
const pathOf = (rooms) => `^(${rooms.join('|')})(/|$)`;

const upwards = FLOORS.map((rooms, floor) => ({
  name: `floor-${FLOORS.length - floor}`,
  comment: `${rooms.join(', ')}: import from floors below, as .dependency-cruiser.mjs lists them`,
  severity: 'error',
  from: { path: pathOf(rooms) },
  to: { path: pathOf(FLOORS.slice(0, floor + 1).flat()), pathNot: '^$1(/|$)' },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...upwards,
    {
      name: 'workflows-alone',
      comment: 'Workflows import themselves and @temporalio/workflow: what else a replay would run may change',
      severity: 'error',
      from: { path: '^workflows/' },
      to: { pathNot: ['^workflows/', '/@temporalio/workflow/'] },
    },
    {
      name: 'no-circle',
      comment: 'Two files that need each other are one file, or three',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-room-without-a-floor',
      comment: 'Say in .dependency-cruiser.mjs on which floor this room stands',
      severity: 'error',
      from: { pathNot: pathOf(FLOORS.flat()) },
      to: {},
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: ['node_modules', 'src/db/generated'] },
    cache: { folder: 'node_modules/.cache/dependency-cruiser', strategy: 'content' },
    progress: { type: 'none' },
  },
};
