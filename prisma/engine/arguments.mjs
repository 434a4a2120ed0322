import { parseArgs } from 'node:util';

/**
 * The arguments that Prisma's command line gives its schema engine.
 * @param {string[]} args
 */
export function readArguments(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    strict: false,
    options: {
      datamodels: { type: 'string', short: 'd', multiple: true },
      datasource: { type: 'string' },
      'enabled-preview-features': { type: 'string' },
      'extension-types': { type: 'string' },
      version: { type: 'boolean' },
    },
  });
  /** @type {unknown} */
  const datasource = JSON.parse(typeof values.datasource === 'string' ? values.datasource : '{}');
  return {
    version: values.version === true,
    /** Such as `can-connect-to-database`; none when requests come over stdin. */
    command: positionals[0] === 'cli' ? positionals[1] : undefined,
    url: /** @type {{ url?: string }} */ (datasource).url,
    schemaFiles: (values.datamodels ?? []).filter((file) => typeof file === 'string'),
  };
}
