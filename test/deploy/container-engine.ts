import type { ChildProcess } from 'node:child_process';
import { projectRoot } from '../../src/local/project-root.ts';
import { runCommand } from '../../src/local/processes/run-command.ts';

/** As in the manifests: a user whom no file belongs to. */
const USER = '10001:10001';

/** What builds images, and runs processes of them on this machine's network. */
export interface ContainerEngine {
  name: string;
  build(tag: string): Promise<unknown>;
  /** Bytes of an image. */
  sizeOf(image: string): Promise<number>;
  /** Makes ready what processes of an image run in, and tells what to type before their command. */
  open(image: string): Promise<string[]>;
  /** Tells a process to stop; `pid` is what it takes for its own id. */
  stop(child: ChildProcess, pid: number): void;
  close(): Promise<void>;
}

/** Docker when it answers, else Buildah, else none, which is said. */
export async function findContainerEngine(): Promise<ContainerEngine | undefined> {
  if ((await runCommand('docker', ['info'])).ok) return docker;
  if ((await runCommand('buildah', ['--version'])).ok) return buildah();
  console.warn('Neither Docker nor Buildah: the image is not built.');
  return undefined;
}

const docker: ContainerEngine = {
  name: 'docker',
  build: (tag) => run('docker', 'build', '--tag', tag, projectRoot()),
  sizeOf: async (image) => Number(await run('docker', 'image', 'inspect', '--format', '{{.Size}}', image)),
  open: (image) => {
    const confined = ['--network=host', '--read-only', '--tmpfs=/tmp', '--cap-drop=ALL', `--user=${USER}`];
    return Promise.resolve(['docker', 'run', '--rm', ...confined, image]);
  },
  stop: (child) => child.kill('SIGTERM'),
  close: () => Promise.resolve(),
};

function buildah(): ContainerEngine {
  const boxes: string[] = [];
  return {
    name: 'buildah',
    // Without `--pull=false` it asks a registry for a newer one of what is there.
    build: (tag) =>
      run('buildah', 'bud', '--isolation=chroot', '--pull=false', '--layers', `--tag=${tag}`, projectRoot()),
    sizeOf: async (image) => {
      const { Manifest } = JSON.parse(await run('buildah', 'inspect', '--type=image', image)) as { Manifest: string };
      const { layers } = JSON.parse(Manifest) as { layers: { size: number }[] };
      return layers.reduce((sum, { size }) => sum + size, 0);
    },
    open: async (image) => {
      const box = (await run('buildah', 'from', '--pull=false', image)).trim();
      boxes.push(box);
      return ['buildah', 'run', '--isolation=chroot', `--user=${USER}`, box, '--'];
    },
    // Buildah would kill it. In a chroot an id is what it is outside.
    stop: (_child, pid) => process.kill(pid, 'SIGTERM'),
    close: async () => {
      for (const box of boxes) await run('buildah', 'rm', box);
    },
  };
}

async function run(program: string, ...args: string[]): Promise<string> {
  const { ok, stdout, stderr, reason } = await runCommand(program, args);
  if (!ok) throw new Error(`${program} ${args.join(' ')}: ${reason}\n${stdout.slice(-4_000)}${stderr.slice(-4_000)}`);
  return stdout;
}
