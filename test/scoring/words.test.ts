import { expect, it } from 'vitest';
import { WORDS } from '../../src/scoring/words.ts';
import { type Locale, LOCALES } from '../../src/leads/lead.ts';

const told = (locale: Locale) => {
  const { notScored, noRule, score, override, line, failed } = WORDS[locale];
  return [
    notScored,
    noRule,
    score(85, 'HOT'),
    score(50, 'WARM'),
    score(5, 'COLD'),
    override(90, 40, 'A friend'),
    line({ points: 30, reason: 'One' }),
    line({ points: 0, reason: 'Two' }),
    line({ points: -20, reason: 'Three' }),
    failed('old'),
  ];
};

const TOLD: Record<Locale, string[]> = {
  'pt-BR': [
    'Este lead ainda não tem pontuação.',
    'Nenhuma regra se aplica a este lead.',
    '85 de 100 pontos: quente (HOT).',
    '50 de 100 pontos: morno (WARM).',
    '5 de 100 pontos: frio (COLD).',
    'Uma pessoa definiu 90 pontos no lugar dos 40 calculados. Motivo: A friend',
    '+30: One.',
    '+0: Two.',
    '−20: Three.',
    'A regra old não pôde ser calculada para este lead e não contou.',
  ],
  en: [
    'This lead has no score yet.',
    'No rule applies to this lead.',
    '85 of 100 points: HOT.',
    '50 of 100 points: WARM.',
    '5 of 100 points: COLD.',
    'A person has set 90 points in place of the 40 that were calculated. Reason: A friend',
    '+30: One.',
    '+0: Two.',
    '−20: Three.',
    'The rule old could not be calculated for this lead, and did not count.',
  ],
};

it.each(LOCALES)('a score is told in %s', (locale) => {
  expect(told(locale)).toEqual(TOLD[locale]);
});
