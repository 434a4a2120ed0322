import { stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import type { RunAs } from '../processes/part.ts';
import { runCommand } from '../processes/run-command.ts';
import { StartError } from '../start-error.ts';

const USER = 'postgres';

/**
 * Who Postgres runs as: it refuses to be root, so that for root it is the owner of an existing data folder, else the
 * user `postgres`, which is made when there is none. Nothing when we are not root.
 * @param folders what that user has to reach
 */
export async function postgresUser(dataDir: string, folders: string[]): Promise<RunAs | undefined> {
  if (userInfo().uid !== 0) return undefined;
  const owner = await stat(dataDir).catch(() => undefined);
  const { uid, gid } = owner && owner.uid !== 0 ? owner : await findOrMakeUser();
  const reachable = await Promise.all(folders.map((folder) => mayEnter(folder, uid)));
  return { uid, gid, passAnyFolder: reachable.includes(false) };
}

async function findOrMakeUser(): Promise<{ uid: number; gid: number }> {
  const found = await findUser();
  if (found) return found;
  await runCommand('useradd', ['--system', '--user-group', '--no-create-home', USER]);
  const made = await findUser();
  if (made) return made;
  throw new StartError(
    `Postgres cannot run as root and the user "${USER}" could not be made: start as another user, or set DATABASE_URL`,
  );
}

async function findUser(): Promise<{ uid: number; gid: number } | undefined> {
  const [uid, gid] = await Promise.all([runCommand('id', ['-u', USER]), runCommand('id', ['-g', USER])]);
  return uid.ok && gid.ok ? { uid: Number(uid.stdout), gid: Number(gid.stdout) } : undefined;
}

/** Whether every folder down to this one lets that user through. */
async function mayEnter(folder: string, uid: number): Promise<boolean> {
  const { mode, uid: owner } = await stat(folder);
  if (owner !== uid && (mode & 0o001) === 0) return false;
  const parent = dirname(folder);
  return parent === folder || mayEnter(parent, uid);
}
