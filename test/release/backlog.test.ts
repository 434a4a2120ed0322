import { BACKLOG, expectOrder, orderOfBacklog } from '../support/backlog.ts';
import { test } from '../support/onboarding.ts';

test(`in a backlog of ${BACKLOG} a critical lead goes first, organizations take turns, and what has time comes last`, async ({
  database,
}) => {
  const order = await orderOfBacklog(database);
  console.log(order);
  expectOrder(order);
});
