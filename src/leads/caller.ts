/** Who asks, as the audit keeps it with each event. */
export interface Caller {
  userId: string | null;
  ipAddress: string | null;
  userAgent: string | null;
  requestId: string;
}
