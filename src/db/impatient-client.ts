import pg from 'pg';

/** Not even the server's own time-out has arrived: the connection is dead, or the server is frozen. */
const PATIENCE_MS = 3_000;

/**
 * Makes the clients of one pool. A client whose statement is not answered within 3 s hangs up, and so do the idle ones:
 * what silenced one has silenced them. The `query_timeout` of node-postgres would put such a client back into the pool,
 * where later statements wait on it in vain (https://github.com/brianc/node-postgres/issues/3399).
 */
export function createImpatientClient(): typeof pg.Client {
  const idle = new Set<ImpatientClient>();

  class ImpatientClient extends pg.Client {
    declare readonly connection: pg.Connection;
    #patience: NodeJS.Timeout | undefined;

    constructor(config?: pg.ClientConfig) {
      super(config);
      this.on('drain', () => {
        clearTimeout(this.#patience);
        idle.add(this);
      });
      this.on('end', () => {
        clearTimeout(this.#patience);
        idle.delete(this);
      });
    }

    override query(...statement: [never]): never {
      idle.delete(this);
      clearTimeout(this.#patience);
      this.#patience = setTimeout(() => {
        for (const client of [this, ...idle]) client.#hangUp();
      }, PATIENCE_MS).unref();
      return super.query(...statement);
    }

    #hangUp(): void {
      this.connection.stream.destroy(new Error('Connection terminated: Postgres does not answer'));
    }
  }
  return ImpatientClient;
}
