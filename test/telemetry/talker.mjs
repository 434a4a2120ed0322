// A process that logs as much as it is told to, and says so apart from its log.
const { createLogger } = /** @type {typeof import('../../src/telemetry/logger.ts')} */ (
  await import(process.argv[2] ?? '')
);
const log = createLogger('talker', 'info');
process.on('message', (word) => {
  if (word === 'end') process.exit(0);
  for (let n = 0; n < 10_000; n += 1) log.info({ n }, 'x'.repeat(1_000));
  setTimeout(() => process.send?.('said 10000 lines'), 300);
});
