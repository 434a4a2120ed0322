import type { AllowedHosts } from '../safe-fetch/allowed-hosts.ts';
import { FetchError } from '../safe-fetch/fetch-error.ts';
import { checkPostTarget } from '../safe-fetch/safe-post.ts';
import { portOf } from '../safe-fetch/target.ts';

/** What is wrong with an address that `isUsable` refuses. */
export const ADDRESS_FORM = 'must be an https address of the public Internet, without a user';

/** Whether something could ever be sent to an address. What its name stands for is checked at each connection. */
export function isUsable(address: string, allowed: AllowedHosts): boolean {
  const url = new URL(address);
  try {
    checkPostTarget(url, allowed(url.hostname, portOf(url)));
    return true;
  } catch (err) {
    if (err instanceof FetchError) return false;
    throw err;
  }
}
