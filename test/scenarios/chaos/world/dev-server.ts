import { copyFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../../../src/local/ports.ts';
import { prepareTemporal } from '../../../../src/local/temporal/temporal.ts';
import type { StartTemporal, World } from './world.ts';

const storeOf = ({ folder }: Pick<World, 'folder'>) => join(folder, 'temporal.db');

/** The Temporal of `npm start`, as the part `temporal`. @param cli path of the Temporal CLI */
export const devServer =
  (cli: string): StartTemporal =>
  async (world) => {
    const port = await freePort();
    await world.processes.start([await prepareTemporal({ cli, port, dbFilename: storeOf(world) })]);
    return port;
  };

/** The dev server loses all that it ever knew, at once. */
export const loseTemporalStore = (world: World): Promise<void> => replaceStore(world, () => Promise.resolve());

/** Copies what the dev server's disk has now. @returns a power loss: what runs workflows ends, and begins again with the copy */
export async function copyTemporalStore(world: World): Promise<() => Promise<void>> {
  const { processes } = world;
  const kept = [storeOf(world), `${storeOf(world)}-wal`];
  processes.freeze('temporal');
  await Promise.all(kept.map((file) => copyFile(file, `${file}.copy`)));
  processes.thaw('temporal');
  return () =>
    replaceStore(world, async () => {
      await Promise.all(kept.map((file) => rename(`${file}.copy`, file)));
      processes.kill('worker:lead-onboarding'); // what it remembers of runs is ahead of the copy
    });
}

/** The files go while the server has them open, so that it writes to nothing until it is killed. */
async function replaceStore(world: World, putBack: () => Promise<void>): Promise<void> {
  await Promise.all(['', '-wal', '-shm'].map((suffix) => rm(storeOf(world) + suffix, { force: true })));
  await putBack();
  await world.processes.killAndAwait('temporal');
}
