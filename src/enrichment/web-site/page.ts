/** What a page says, word for word: nothing of it is cleaned or believed yet. */
export interface Page {
  language: string;
  title: string;
  /** By name or property, in lower case; of several the first. */
  meta: Map<string, string>;
  /** Contents of `application/ld+json` scripts. */
  jsonLd: string[];
  links: string[];
  /** Addresses of scripts, style sheets and images. */
  resources: string[];
}
