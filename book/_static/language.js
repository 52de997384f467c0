// The reader's choice of language: it is kept, a link to the book in another language leads to the chosen one, and a switch
// leads to the same place, with what is searched for and the state of the explorer.
(() => {
  const KEY = "fslviz-language";
  const stored = (write) => {
    try {
      if (write) localStorage.setItem(KEY, write);
      return localStorage.getItem(KEY);
    } catch {
      return null; // a browser may forbid it
    }
  };
  const go = (link) => location.replace(link.href + location.search + location.hash);
  const links = [...document.querySelectorAll('link[rel="alternate"]')];
  const chosen = links.find((link) => link.hreflang === stored()); // whatever else may be stored there
  if (chosen) return go(chosen);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.language");
    if (!link) return;
    stored(link.hreflang);
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(link);
  });
})();
