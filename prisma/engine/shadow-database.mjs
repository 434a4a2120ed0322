import { randomUUID } from 'node:crypto';

/** @import { SqlDriverAdapter } from '@prisma/driver-adapter-utils' */

/**
 * Makes a database to replay migrations in, which is removed when the engine disposes of it. The adapter's own way
 * leads to the real database when that is given as a URL.
 * @param {string} url of the real database, on whose server it is made
 * @param {(url: string) => Promise<SqlDriverAdapter>} connect
 */
export async function connectToShadow(url, connect) {
  const name = `prisma_migrate_shadow_db_${randomUUID()}`;
  const shadowUrl = new URL(url);
  shadowUrl.pathname = `/${name}`;

  const main = await connect(url);
  await main.executeScript(`CREATE DATABASE "${name}"`);
  const shadow = await connect(shadowUrl.href);
  const disconnect = shadow.dispose.bind(shadow);
  shadow.dispose = async () => {
    await disconnect();
    await main.executeScript(`DROP DATABASE "${name}"`);
    await main.dispose();
  };
  return shadow;
}
