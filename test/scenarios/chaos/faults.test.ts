import { nothingIsLostWhen } from './nothing-is-lost.ts';
import { badNetwork } from './scenarios/bad-network.ts';
import { frozenRelay, frozenWorker, silentPostgres } from './scenarios/frozen.ts';
import { fourRelays } from './scenarios/outbox.ts';
import { rollingDeploy } from './scenarios/rolling-deploy.ts';
import { storm } from './scenarios/storm.ts';
import { temporalDown, temporalSilent } from './scenarios/temporal-away.ts';

nothingIsLostWhen([
  storm,
  temporalDown,
  temporalSilent,
  silentPostgres,
  frozenWorker,
  frozenRelay,
  rollingDeploy,
  fourRelays,
  badNetwork,
]);
