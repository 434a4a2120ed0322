import { homedir } from 'node:os';
import { join } from 'node:path';

/** The folder of what is fetched or built once for this machine, whichever copy of the project asks. */
export const cacheDirOf = (env: NodeJS.ProcessEnv): string =>
  join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'lead-onboarding');
