/** What became of something that stood still; what is `reported` is for people. */
export type Verdict = 'under way' | 'ordered again' | 'canceled' | 'reported';
export type Tally = Record<Verdict, number>;

export const emptyTally = (): Tally => ({ 'under way': 0, 'ordered again': 0, canceled: 0, reported: 0 });
