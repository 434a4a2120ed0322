import pg from 'pg';

/** As long as Prisma's own engine waits. */
const CONNECT_WITHIN_MS = 5_000;

/** Type OIDs: `"char"`, which system catalogs use and Prisma's adapter rejects, and `char(n)`, which it takes. */
const CATALOG_CHAR = 18;
const CHAR = 1042;

/** A pool with which Prisma's adapter can read the system catalogs. */
export class CatalogPool extends pg.Pool {
  /** @type {unknown} */
  lastError;

  /** @type {WeakMap<object, number[]>} */
  #charColumns = new WeakMap();

  /** @param {string} connectionString */
  constructor(connectionString) {
    super({
      connectionString,
      connectionTimeoutMillis: CONNECT_WITHIN_MS,
      application_name: 'prisma-schema-engine',
      // The advisory lock that keeps two deployments apart lives as long as its connection: one, kept open.
      max: 1,
      idleTimeoutMillis: 0,
      keepAlive: true,
    });
    this.on('error', () => undefined);
  }

  /**
   * The adapter uses one of the overloads. A script of several statements has several results.
   * @override
   * @param {any} config
   * @returns {Promise<any>}
   */
  async query(config) {
    try {
      /** @type {unknown} */
      const result = await super.query(config);
      const { fields, rows } = /** @type {Partial<pg.QueryResult>} */ (result);
      if (fields && rows) this.#charColumns.set(rows, replaceCatalogChar(fields));
      return result;
    } catch (error) {
      this.lastError = error;
      throw error;
    }
  }

  /**
   * The columns of a result that are `"char"` in truth, counted from 0.
   * @param {object} rows
   */
  charColumns(rows) {
    return this.#charColumns.get(rows) ?? [];
  }
}

/** @param {pg.FieldDef[]} fields */
function replaceCatalogChar(fields) {
  return fields.flatMap((field, column) => {
    if (field.dataTypeID !== CATALOG_CHAR) return [];
    field.dataTypeID = CHAR;
    return [column];
  });
}
