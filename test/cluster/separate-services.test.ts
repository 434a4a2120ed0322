import { freePort } from '../../src/local/ports.ts';
import { nothingIsLostWhen } from '../scenarios/chaos/nothing-is-lost.ts';
import { costs } from './costs.ts';
import { COUNTS_STATEMENTS, separateServices } from './separate-services.ts';
import { storm } from './storm.ts';

const temporalPostgres = await freePort();

nothingIsLostWhen([costs(temporalPostgres), storm], {
  startTemporal: separateServices(temporalPostgres),
  postgresSettings: COUNTS_STATEMENTS,
  workersOfQueue: 2,
});
