import { BACKLOG, expectOrder, orderOfBacklog } from '../support/backlog.ts';
import { test } from '../support/onboarding.ts';
import { NAMESPACES } from './server/configuration.ts';

test(`with one partition a backlog of ${BACKLOG} is worked off in the order that is promised`, async ({ database }) => {
  const order = await orderOfBacklog(database, NAMESPACES.onePartition);
  console.log('one partition', order);
  expectOrder(order);
});

test('with four partitions all of it is worked off, in an order that is printed', async ({ database }) => {
  console.log('four partitions', await orderOfBacklog(database, NAMESPACES.fourPartitions));
});
