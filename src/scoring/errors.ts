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

/** No rescore with this id, or none that the caller may see. */
export class RescoreNotFound extends Error {
  override name = 'RescoreNotFound';
  constructor(id: string) {
    super(`There is no rescore ${id}.`);
  }
}

/** A command to a rescore that has ended. */
export class RescoreOver extends Error {
  override name = 'RescoreOver';
  constructor(state: string) {
    super(`The rescore is over: it is ${state}. Send rules to score all leads again.`);
  }
}
