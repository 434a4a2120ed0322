/**
 * The script that a page with a form includes: it puts a token into each form that posts to `formPath`, wherever that
 * is served. A page that the browser brings back from its history gets a new one.
 * @param token of letters, digits, `-` and `_`
 */
export const guardScript = (formPath: string, token: string) => `(() => {
  const script = document.currentScript;
  const fill = () => {
    const fields = document.querySelectorAll('form[action$="${formPath}"] input[name="token"]');
    for (const field of fields) field.value = '${token}';
  };
  const renew = ({ persisted }) => {
    if (!persisted) return;
    removeEventListener('pageshow', renew);
    const next = document.createElement('script');
    next.src = script.src;
    script.replaceWith(next);
  };
  if (document.readyState === 'loading') addEventListener('DOMContentLoaded', fill);
  else fill();
  addEventListener('pageshow', renew);
})();
`;
