import { appendFileSync, readFileSync } from 'node:fs';

/** One lead that the API has acknowledged. */
export interface Acknowledged {
  id: string;
  email: string;
  status: number;
}

/**
 * What the service has promised, kept where no fault of it reaches: a file with a line for each acknowledgement, written
 * before the next request goes out.
 */
export class Truth {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
    appendFileSync(file, '');
  }

  record(acknowledged: Acknowledged): void {
    appendFileSync(this.#file, `${JSON.stringify(acknowledged)}\n`);
  }

  read(): Acknowledged[] {
    const lines = readFileSync(this.#file, 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as Acknowledged);
  }
}
