import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { projectRoot } from '../../../../src/local/project-root.ts';
import { runCommand } from '../../../../src/local/processes/run-command.ts';
import { LEAD_ONBOARDING, type OnboardingInput, TASK_QUEUES } from '../../../../workflows/contract.ts';
import { startProcess } from '../../../support/processes.ts';
import { startOwnTemporal } from './engine.ts';

let temporal: Awaited<ReturnType<typeof startOwnTemporal>>;
beforeAll(async () => {
  temporal = await startOwnTemporal(inject('temporalCli'));
});
afterAll(() => temporal.stop());

const settings = () => ({ TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: 'default' });

const startVersion = (buildId: string) =>
  startProcess('worker', { ...settings(), WORKER_BUILD_ID: buildId }, ['--task-queue', TASK_QUEUES.onboarding]);

/** `npm run deployments -- …` */
const deployments = (...args: string[]) =>
  runCommand(process.execPath, ['dist/src/deployments.js', ...args], {
    cwd: projectRoot(),
    env: { PATH: process.env['PATH'], ...settings() },
  });

/** A run that waits for a day: nobody takes its notification. */
function startRun() {
  const input: OnboardingInput = {
    leadId: 'lead-1',
    organizationId: 'org-1',
    round: 1,
    requestId: 'request-1',
    enrichmentDelayMs: 24 * 3_600_000,
    priority: 'NORMAL',
    searchAttributes: false,
  };
  const options = { taskQueue: TASK_QUEUES.onboarding, workflowId: 'run-1', args: [input] };
  return temporal.client.workflow.start(LEAD_ONBOARDING, options);
}

it('a worker whose version has no work is not ready, and says what to do', async () => {
  expect((await deployments('status')).stdout).toMatch(/^No worker with a WORKER_BUILD_ID has polled yet/);
  const v1 = await startVersion('v1');
  const look = async (worker = v1) => {
    const { status, body } = await worker.readyz();
    return [status, body['reason']];
  };
  const notInUse = (buildId: string) => [
    503,
    `version ${buildId} is not in use, so it gets no runs: npm run deployments -- set-current ${buildId}`,
  ];
  await expect.poll(look).toEqual(notInUse('v1'));
  await expect.poll(async () => (await deployments('status')).stdout).toMatch(/^v1 +inactive +0 +gets no runs/m);
  expect((await look())[0], 'still, once Temporal knows it').toBe(503);

  expect((await deployments('set-current', 'v1')).stdout).toMatch(/^Runs that begin go to v1\.\n(.|\n)*^v1 +current/m);
  await expect.poll(look).toEqual([200, undefined]);

  const run = await startRun();
  const openRuns = async () => {
    const { stdout } = await deployments('status', '--json');
    return (JSON.parse(stdout) as { versions: { buildId: string; openRuns: number }[] }).versions;
  };
  await expect.poll(openRuns).toMatchObject([{ buildId: 'v1', status: 'current', openRuns: 1 }]);

  const v2 = await startVersion('v2');
  await expect.poll(() => look(v2)).toEqual(notInUse('v2'));
  await expect.poll(async () => (await deployments('ramp', 'v2', '10')).stdout).toMatch(/, 10 % of them to v2\./);
  await expect.poll(() => look(v2)).toEqual([200, undefined]);
  expect((await deployments('set-current', 'v2')).stdout).toMatch(/^v1 +draining +1 +ends the runs that it began/m);
  expect(await look()).toEqual([200, undefined]);

  await run.terminate();
  await expect
    .poll(look)
    .toEqual([503, 'version v1 is drained: stop this worker, or npm run deployments -- set-current v1']);
  expect((await deployments('status')).stdout).toMatch(/^v1 +drained +0 +its workers may be stopped$/m);
});

it('the command says in one line what is wrong', async () => {
  const faults = [
    [['set-current', 'nobody'], /^Version not found in deployment\n$|no Worker Deployment found/],
    [['set-current'], /^Name a build id, or say --unversioned\.\n$/],
    [['ramp', 'v1', 'half'], /^error: .*It must be a number from 0 to 100\.\n$/],
  ] as const;
  for (const [args, fault] of faults) {
    const { ok, stderr } = await deployments(...args);
    expect(ok).toBe(false);
    expect(stderr).toMatch(fault);
  }
});
