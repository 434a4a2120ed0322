/** No lead with this id, or none that the caller may see: the two are told alike. */
export class LeadNotFound extends Error {
  override name = 'LeadNotFound';
  constructor(id: string) {
    super(`There is no lead ${id}.`);
  }
}

/** Another lead of the organization has this e-mail. */
export class EmailTaken extends Error {
  override name = 'EmailTaken';
  constructor() {
    super('Another lead of this organization has this e-mail.');
  }
}
