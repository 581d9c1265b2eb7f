// A term's meaning beside its link, for pointer and keyboard; following the link leads to the list of all terms.
{
  const GAP = 8; // pixels between the link and the words, and to the edges of the screen
  let tip = null;
  let held = null;

  lab.term = (key, words) => {
    const link = lab.make('a', { className: 'term', href: `#term-${key}`, textContent: words });
    link.dataset.term = key;
    return link;
  };
  const hide = () => {
    held?.removeAttribute('aria-describedby');
    held = null;
    if (tip) tip.hidden = true;
  };
  const show = (link) => {
    const found = lab.terms[link.dataset.term];
    if (!found || held === link) return;
    hide();
    tip ??= lab.make('div', { className: 'meaning', id: 'meaning', role: 'tooltip' });
    const [name, words] = found;
    tip.replaceChildren(lab.make('b', { textContent: name }), words);
    if (!tip.isConnected) (document.querySelector('.gradio-container') ?? document.body).append(tip);
    tip.hidden = false;
    held = link;
    link.setAttribute('aria-describedby', 'meaning');
    const box = link.getBoundingClientRect();
    const left = Math.min(box.left, innerWidth - tip.offsetWidth - GAP);
    const below = box.bottom + GAP + tip.offsetHeight < innerHeight;
    Object.assign(tip.style, {
      left: `${Math.max(GAP, left)}px`,
      top: `${below ? box.bottom + GAP : box.top - GAP - tip.offsetHeight}px`,
    });
  };
  const at = (event) => event.target.closest?.('a.term');
  document.addEventListener('pointerover', (event) => {
    if (event.pointerType === 'touch') return;
    if (at(event)) show(at(event));
    else if (held && held !== document.activeElement) hide();
  });
  document.addEventListener('focusin', (event) => (at(event) ? show(at(event)) : hide()));
  document.addEventListener('focusout', hide);
  document.addEventListener('keydown', (event) => event.key === 'Escape' && hide());
  addEventListener('scroll', hide, { passive: true });
  document.addEventListener('click', (event) => {
    const link = at(event);
    if (!link) return;
    event.preventDefault(); // its address is no page's
    hide();
    location.hash = `#${document.querySelector('[data-page]').dataset.page}/term-${link.dataset.term}`;
  });
  const unfold = () => {
    if (!location.hash.includes('/term')) return;
    lab.when(
      () => document.querySelector('details.terms'),
      (list) => {
        list.open = true;
      },
    );
  };
  addEventListener('hashchange', unfold);
  unfold();
}
