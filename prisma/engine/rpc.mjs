import { createInterface } from 'node:readline';

/** @import { DiffTarget, MigrationList } from '@prisma/schema-engine-wasm' */

/**
 * @typedef {object} Request
 * @property {number} id
 * @property {string} method
 * @property {{ migrationsList?: MigrationList, from?: DiffTarget, to?: DiffTarget }} [params] What is read of them here.
 */

/**
 * @typedef {object} Answer
 * @property {unknown} [result]
 * @property {string | null} [print] What the caller is to write to its standard output.
 * @property {Failure} [error]
 */

/** @typedef {{ message: string, code?: string | undefined }} Failure */

/**
 * Serves JSON-RPC 2.0, one message a line, over standard input and output until the input ends.
 * @param {(request: Request) => Promise<Answer>} answer
 */
export async function serve(answer) {
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    /** @type {unknown} */
    const message = JSON.parse(line);
    const request = /** @type {Request | { method?: undefined }} */ (message);
    // Without a method it acknowledges something that we had printed.
    if (request.method === undefined) continue;
    const { id } = request;
    const { result = null, print, error } = await answer(request);
    if (print) send({ id: `print-${id}`, method: 'print', params: { content: print.replace(/\n$/, '') } });
    send({ id, ...(error ? { error: toRpcError(error) } : { result }) });
  }
}

/** @param {object} message */
function send(message) {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
}

/** @param {Failure} failure */
function toRpcError({ message, code }) {
  return {
    code: 4466,
    message: 'An error happened. Check the data field for details.',
    data: { is_panic: false, message, error_code: code },
  };
}
