/** Line breaks and tabs of any kind. */
const BREAK = /[\t-\r\u0085\u2028\u2029]/u;
/** Blanks in a row, breaks among them. One class, and not breaks between blanks: that takes the square of their number. */
const BLANKS = /[ \t-\r\u0085\u2028\u2029]+/gu;
/** Control characters, and format characters that show nothing or turn the direction of what stands around them. */
const HIDDEN =
  /[\p{Cc}\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;
/**
 * Joiners, but for those after a sign of a script that is written with them, or of an emoji
 * (https://www.unicode.org/reports/tr31/#Layout_and_Format_Control_Characters).
 */
const IDLE_JOINERS =
  /(?<![\p{scx=Arab}\p{scx=Syrc}\p{scx=Mong}\p{scx=Nkoo}\p{scx=Deva}\p{scx=Beng}\p{scx=Guru}\p{scx=Gujr}\p{scx=Orya}\p{scx=Taml}\p{scx=Telu}\p{scx=Knda}\p{scx=Mlym}\p{scx=Sinh}\p{scx=Khmr}\p{scx=Mymr}\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f])[\u200c\u200d]+/gu;
const REPEATED_JOINERS = /([\u200c\u200d])[\u200c\u200d]+/gu;

/** A name as people see it: a line without characters that hide in it or turn what stands beside it around. */
export const cleanName = (typed: string): string =>
  typed
    .replace(BLANKS, (blanks) => (BREAK.test(blanks) ? ' ' : blanks))
    .replace(HIDDEN, '')
    .replace(REPEATED_JOINERS, '$1')
    .replace(IDLE_JOINERS, '')
    .trim();

/** Says whether nothing hides in the text. Ids are compared, not read: they are refused, and never cleaned. */
export const hidesNothing = (text: string): boolean => !BREAK.test(text) && text.search(HIDDEN) < 0;
