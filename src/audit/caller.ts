/** Who asks, as the audit keeps it with everything that is changed. */
export interface Caller {
  /** The API key; null while the API works without keys, and for forms that are sent without one. */
  keyId: string | null;
  /** The user whom the caller names as the one who acts. */
  userId: string | null;
  ipAddress: string | null;
  userAgent: string | null;
  requestId: string;
  /** Set where an anonymous form is the caller: what it says counts until somebody with access says otherwise. */
  form?: true;
}
