import { writeBundle } from './workflow-bundle.ts';

const bytes = await writeBundle();
process.stdout.write(`Workflow bundle written: ${Math.round(bytes / 1024)} KiB\n`);
