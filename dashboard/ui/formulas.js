// A formula that is wider than its place scrolls sideways: a fade says that there is more, and the keyboard reaches it.
{
  const mark = (box) => {
    const wider = box.scrollWidth - box.clientWidth > 4;
    box.classList.toggle('more', wider && box.scrollLeft + box.clientWidth < box.scrollWidth - 4);
    if (wider) Object.assign(box, { tabIndex: 0, role: 'group', ariaLabel: 'Formula, scrolls sideways' });
    else for (const name of ['tabindex', 'role', 'aria-label']) box.removeAttribute(name);
  };
  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) mark(target.closest('.formula[data-testid=markdown]'));
  });
  const watch = () => {
    for (const box of document.querySelectorAll('.formula[data-testid=markdown]:not([data-watched])')) {
      box.dataset.watched = 'yes';
      box.addEventListener('scroll', () => mark(box), { passive: true });
      for (const one of [box, ...box.children]) sizes.observe(one); // what it holds is set after it is there
    }
  };
  // A page is laid out when it is first opened; a moment later is soon enough.
  let waiting = 0;
  new MutationObserver(() => {
    clearTimeout(waiting);
    waiting = setTimeout(watch, 300);
  }).observe(document.documentElement, { childList: true, subtree: true });
}
