import { en, type Words } from './en.ts';
import { ptBr } from './pt-br.ts';

/** The board's languages; the first is for whoever asks for none of them. */
export const LANGUAGES = ['pt-BR', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];

export const WORDS: Record<Language, Words> = { 'pt-BR': ptBr, en };

/** What a browser or a query asks for → one of ours. */
export const toLanguage = (asked: string): Language | undefined =>
  LANGUAGES.find((language) => language.slice(0, 2) === asked.slice(0, 2).toLowerCase());
