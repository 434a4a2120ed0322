/** The release that we fetch. Newer ones cannot be built by `go install`: they carry a `replace`. */
export const CLI_VERSION = '1.5.1';
/** The SQLite that it is built with here: with its own, 1.39, a busy server loses its connection to it (temporalio/temporal #9198). */
export const SQLITE_VERSION = '1.44.3';

export interface CliContext {
  env: NodeJS.ProcessEnv;
  /** Gets a line whenever there is something to tell. */
  onProgress: (line: string) => void;
  signal: AbortSignal | undefined;
}

/** One way to get the Temporal CLI into the cache folder. */
export interface CliWay {
  /** Where it ends up. */
  path(cacheDir: string): string;
  /** Fetches it; returns why it could not, in words, or nothing. The file appears whole or not at all. */
  fetch(cacheDir: string, context: CliContext): Promise<string | undefined>;
}

/** The file name of a program on this system. */
export const executable = (name: string) => (process.platform === 'win32' ? `${name}.exe` : name);
