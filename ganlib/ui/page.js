// What a tab does beyond Streamlit's elements, from its first moment on, whatever page is shown.
(() => {
  // Streamlit adds an entry to the browser's history for each value that a page writes into its link: an arrow key that
  // is held down on a seed makes dozens. Those that follow within a second replace the one before.
  const MERGED_MILLISECONDS = 1000;
  const push = history.pushState.bind(history), replace = history.replaceState.bind(history);
  let last = -Infinity;
  history.pushState = (state, title, url) => {
    const same = new URL(url, location).pathname === location.pathname;
    (same && performance.now() - last < MERGED_MILLISECONDS ? replace : push)(state, title, url);
    last = same ? performance.now() : -Infinity;
  };

  // Streamlit leaves the address, and the values of widgets that are bound to it, as they were where a link leads to the
  // page that is shown. So such a link is followed as the browser's own buttons are.
  document.addEventListener("click", event => {
    const link = event.target.closest("a[data-testid=stPageLink-NavLink]:not([disabled])");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const to = new URL(link.href);
    if (to.pathname !== location.pathname || to.search === location.search) return;
    event.preventDefault();
    event.stopPropagation();
    push({}, "", to);
    last = -Infinity;
    dispatchEvent(new PopStateEvent("popstate", {state: {}}));
  }, true);

  // A presenter's remote sends these two keys, also while the page that they lead on from is still being drawn.
  const PATIENCE = 10_000, POLL = 50;  // milliseconds
  document.addEventListener("keydown", event => {
    const step = {PageDown: "next", PageUp: "previous"}[event.key];
    if (!step || event.repeat || !new URLSearchParams(location.search).has("present")) return;
    const find = () => document.querySelector(`.st-key-presentation_${step} a`);
    if (find()?.hasAttribute("disabled")) return;
    event.preventDefault();
    const end = performance.now() + PATIENCE;
    const follow = () => {
      const link = find();
      if (link) link.click();
      else if (performance.now() < end) setTimeout(follow, POLL);
    };
    follow();
  });
})();
