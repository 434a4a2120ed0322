/**
 * The one script of the board: it replaces the parts of a page that an event stream says have changed, keeps the focus
 * where it is, and says whether it is still told.
 */
export const LIVE_SCRIPT = `(() => {
  const live = document.getElementById('live');
  const state = document.getElementById('state');
  const say = (name) => {
    state.textContent = state.dataset[name];
    state.className = 'state ' + name;
  };
  const show = (html) => {
    const template = document.createElement('template');
    template.innerHTML = html;
    const next = new Set();
    for (const part of [...template.content.children]) {
      next.add(part.id);
      const shown = document.getElementById(part.id);
      if (!shown) live.append(part);
      else if (shown.outerHTML !== part.outerHTML) {
        const focused = shown.contains(document.activeElement) ? document.activeElement.id : '';
        const scrolled = [...shown.querySelectorAll('.scroll')].map((box) => box.scrollLeft);
        shown.replaceWith(part);
        [...part.querySelectorAll('.scroll')].forEach((box, index) => (box.scrollLeft = scrolled[index] ?? 0));
        if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
      }
    }
    for (const part of [...live.children]) if (!next.has(part.id)) part.remove();
  };
  const source = new EventSource(live.dataset.stream);
  source.addEventListener('show', ({ data }) => {
    show(data);
    say('live');
  });
  source.addEventListener('problem', () => say('problem'));
  source.addEventListener('gone', () => location.reload());
  source.addEventListener('error', () => {
    say('offline');
    // Any answer but a stream has ended it: the page as a whole says why, or begins anew.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 5_000);
  });
  addEventListener('pagehide', () => source.close());
})();
`;
