import { ColumnTypeEnum } from '@prisma/driver-adapter-utils';

/** @import { SqlDriverAdapter, SqlMigrationAwareDriverAdapterFactory } from '@prisma/driver-adapter-utils' */

/** The engine asks this when it connects: does the schema exist, and which version is it? Here the oldest supported. */
const SERVER = {
  columnNames: ['exists', 'version', 'numeric_version'],
  columnTypes: [ColumnTypeEnum.Boolean, ColumnTypeEnum.Text, ColumnTypeEnum.Int32],
  rows: [[true, 'PostgreSQL 15.0', 150000]],
};

const refuse = () => Promise.reject(new Error('Set DATABASE_URL: this command needs a database.'));

/**
 * Stands in for a database when schema files are compared, which needs none.
 * @type {SqlMigrationAwareDriverAdapterFactory}
 */
export const noDatabase = {
  provider: 'postgres',
  adapterName: '@prisma/adapter-pg',
  connect: () => Promise.resolve(adapter),
  connectToShadowDb: refuse,
};

/** @type {SqlDriverAdapter} */
const adapter = {
  provider: 'postgres',
  adapterName: '@prisma/adapter-pg',
  queryRaw: ({ sql }) => (sql.includes('server_version_num') ? Promise.resolve(SERVER) : refuse()),
  executeRaw: refuse,
  executeScript: refuse,
  startTransaction: refuse,
  dispose: () => Promise.resolve(),
};
