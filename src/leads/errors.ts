/** No lead with this id, or none that the caller may see: the two are told alike. */
export class LeadNotFound extends Error {
  override name = 'LeadNotFound';
  constructor(id: string) {
    super(`There is no lead ${id}.`);
  }
}

/** Somebody else has changed the lead since it was read. */
export class LeadChanged extends Error {
  override name = 'LeadChanged';
  constructor(id: string) {
    super(
      `Lead ${id} was changed since you have read it: read it again, and change it with the ETag that it has then.`,
    );
  }
}

/** Another lead of the organization has this e-mail. */
export class EmailTaken extends Error {
  override name = 'EmailTaken';
  constructor() {
    super('Another lead of this organization has this e-mail.');
  }
}

/** With what a patch adds the attributes of a lead are more than they may be. */
export class AttributesTooLarge extends Error {
  override name = 'AttributesTooLarge';
}
