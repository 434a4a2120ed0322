import type { ScoreBand } from '../../workflows/contract.ts';
import type { Locale } from '../leads/lead.ts';

interface Words {
  notScored: string;
  noRule: string;
  score: (score: number, band: ScoreBand) => string;
  override: (score: number, calculated: number, reason: string) => string;
  line: (line: { points: number; reason: string }) => string;
  failed: (rule: string) => string;
}

/** `+30`, or `−20` with a minus sign. */
const signed = (points: number) => (points < 0 ? `−${-points}` : `+${points}`);

/** The sentences of an explanation. */
export const WORDS: Record<Locale, Words> = {
  'pt-BR': {
    notScored: 'Este lead ainda não tem pontuação.',
    noRule: 'Nenhuma regra se aplica a este lead.',
    score: (score, band) =>
      `${score} de 100 pontos: ${{ HOT: 'quente', WARM: 'morno', COLD: 'frio' }[band]} (${band}).`,
    override: (score, calculated, reason) =>
      `Uma pessoa definiu ${score} pontos no lugar dos ${calculated} calculados. Motivo: ${reason}`,
    line: ({ points, reason }) => `${signed(points)}: ${reason}.`,
    failed: (rule) => `A regra ${rule} não pôde ser calculada para este lead e não contou.`,
  },
  en: {
    notScored: 'This lead has no score yet.',
    noRule: 'No rule applies to this lead.',
    score: (score, band) => `${score} of 100 points: ${band}.`,
    override: (score, calculated, reason) =>
      `A person has set ${score} points in place of the ${calculated} that were calculated. Reason: ${reason}`,
    line: ({ points, reason }) => `${signed(points)}: ${reason}.`,
    failed: (rule) => `The rule ${rule} could not be calculated for this lead, and did not count.`,
  },
};
