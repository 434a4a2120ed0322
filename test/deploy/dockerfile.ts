export interface Instruction {
  name: string;
  flags: Record<string, string>;
  args: string[];
  /** Written as a JSON array, and so run without a shell in between. */
  exec: boolean;
}

export interface Stage {
  name: string;
  image: string;
  instructions: Instruction[];
}

/** Reads the part of Dockerfile syntax that ours uses: stages, flags, continued lines, comments and the exec form. */
export function parseDockerfile(text: string): Stage[] {
  const lines = text
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages: Stage[] = [];
  for (const line of lines) {
    const instruction = parseInstruction(line);
    if (instruction.name === 'FROM') {
      const [image = '', , name = `stage-${stages.length}`] = instruction.args;
      stages.push({ name, image, instructions: [] });
    } else {
      const stage = stages.at(-1);
      if (!stage) throw new Error(`Before the first FROM: ${line}`);
      stage.instructions.push(instruction);
    }
  }
  return stages;
}

/** The last stage: the image itself. */
export function finalStage(stages: Stage[]): Stage {
  const stage = stages.at(-1);
  if (!stage) throw new Error('The Dockerfile has no stage');
  return stage;
}

/** The last instruction of this name in a stage: the one that counts for USER, CMD and the like. */
export function lastOf(stage: Stage, name: string): Instruction | undefined {
  return stage.instructions.findLast((instruction) => instruction.name === name);
}

function parseInstruction(line: string): Instruction {
  const [, name, rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line.trim()) ?? [];
  if (name === undefined) throw new Error(`Not an instruction: ${line}`);
  if (rest.startsWith('[')) return { name, flags: {}, args: JSON.parse(rest) as string[], exec: true };
  const words = rest.split(/\s+/).filter(Boolean);
  const takesFlags = name === 'COPY' || name === 'FROM';
  const flags = takesFlags ? words.filter((word) => word.startsWith('--')) : [];
  return {
    name,
    flags: Object.fromEntries(flags.map((flag) => flag.slice(2).split('=') as [string, string])),
    args: words.slice(flags.length),
    exec: false,
  };
}
