import { createPerson, type Person, tracesIn } from '../../../personal-data/person.ts';

/** Everybody whose data was sent, by what happened to them. */
export class People {
  readonly #all = new Map<string, Person>();

  get size(): number {
    return this.#all.size;
  }

  add(what: string): Person {
    const person = createPerson();
    this.#all.set(what, person);
    return person;
  }

  /** @returns what of them is in a text, in whatever case */
  foundIn(text: string): string[] {
    const folded = text.toLowerCase();
    return [...this.#all].flatMap(([what, person]) => tracesIn(folded, person).map((trace) => `${what}: ${trace}`));
  }
}
