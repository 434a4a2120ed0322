/** The lead has no score yet, so that there is none to put another in the place of. */
export class NotScored extends Error {
  override name = 'NotScored';
  constructor(leadId: string) {
    super(`Lead ${leadId} has no score yet: wait until its onboarding has calculated one.`);
  }
}

/** The organization has no rules of this version. */
export class RulesNotFound extends Error {
  override name = 'RulesNotFound';
  constructor(version: number) {
    super(`There is no version ${version} of the score rules.`);
  }
}
