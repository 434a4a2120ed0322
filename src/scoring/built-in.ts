import { compileRules } from './calculate.ts';
import type { Rule, RuleSet } from './rule-set.ts';

/** The version of an organization that has no rules of its own. */
export const BUILT_IN_VERSION = 0;

const rule = (name: string, points: number, when: string, en: string, ptBR: string): Rule => ({
  rule: name,
  points,
  when,
  reason: { 'pt-BR': ptBR, en },
});

const cameBy = (source: string) => `lead.source == "${source}"`;

/** The rules of every organization without its own. docs/scoring.md gives the reason for each number; a test compares the two. */
export const BUILT_IN_RULES: RuleSet = {
  name: 'built-in',
  groups: [],
  bands: { HOT: 70, WARM: 40 },
  rules: [
    rule(
      'email.corporate',
      30,
      'enrichment.emailKind == "CORPORATE"',
      'The e-mail address belongs to an organization',
      'O endereço de e-mail é de uma organização',
    ),
    rule(
      'email.free',
      10,
      'enrichment.emailKind == "FREE"',
      'The e-mail address is a free mailbox',
      'O endereço de e-mail é de um provedor gratuito',
    ),
    rule(
      'email.unclassified',
      10,
      'has(lead.email) && !has(enrichment.emailKind)',
      'An e-mail address was given; nothing is known of its domain',
      'Um endereço de e-mail foi informado; nada se sabe do seu domínio',
    ),
    rule(
      'email.disposable',
      -20,
      'enrichment.emailKind == "DISPOSABLE"',
      'The e-mail address is a throw-away mailbox',
      'O endereço de e-mail é descartável',
    ),
    rule(
      'phone.mobile',
      20,
      'enrichment.phoneType in ["MOBILE", "FIXED_LINE_OR_MOBILE"]',
      'The phone number is valid and may be a mobile',
      'O telefone é válido e pode ser um celular',
    ),
    rule(
      'phone.fixed',
      15,
      'enrichment.phoneType in ["FIXED_LINE", "VOIP"]',
      'The phone number is valid and a fixed line',
      'O telefone é válido e é uma linha fixa',
    ),
    rule(
      'phone.other',
      5,
      'enrichment.phoneType in ["TOLL_FREE", "OTHER"]',
      'The phone number is valid, but not the line of one person',
      'O telefone é válido, mas não é a linha de uma pessoa',
    ),
    rule('company.given', 15, 'has(lead.company)', 'A company was given', 'Uma empresa foi informada'),
    rule(
      'contact.complete',
      10,
      'has(lead.email) && has(lead.phone) && has(lead.company)',
      'E-mail address, phone number and company were all given',
      'E-mail, telefone e empresa foram todos informados',
    ),
    rule('source.referral', 25, cameBy('REFERRAL'), 'The lead came by referral', 'O lead veio por indicação'),
    rule('source.partner', 20, cameBy('PARTNER'), 'The lead came from a partner', 'O lead veio de um parceiro'),
    rule('source.event', 15, cameBy('EVENT'), 'The lead came from an event', 'O lead veio de um evento'),
    rule('source.website', 10, cameBy('WEBSITE'), 'The lead came from the web site', 'O lead veio do site'),
    rule('source.form', 10, cameBy('FORM'), 'The lead came from a form', 'O lead veio de um formulário'),
    rule('source.crm', 5, cameBy('CRM'), 'The lead came from the CRM', 'O lead veio do CRM'),
    rule('source.ads', 5, cameBy('ADS'), 'The lead came from an advertisement', 'O lead veio de um anúncio'),
  ],
};

export const BUILT_IN = compileRules(BUILT_IN_RULES);
