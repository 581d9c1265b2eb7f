// Page links: #name opens the tab of that name, #name/panel scrolls on to a panel; Gradio's own tab bar is hidden.
{
  const STILL = 3; // frames without anything new
  const PATIENCE = 600; // ms; and so many frames, since on a slow machine one alone may take longer than that
  const FRAMES = 40;
  const LEAVING = ['wheel', 'touchstart', 'keydown', 'pointerdown', 'hashchange'];

  const asked = () => {
    if (lab.address && !lab.address.ready()) return null; // what the address says is set first
    const links = [...document.querySelectorAll('[data-page]')];
    const names = links.map((a) => a.dataset.page);
    const [page, panel] = location.hash.slice(1).split('/');
    const name = names.includes(page) ? page : names[0];
    const tab = document.querySelector(`#pages [role=tab][data-tab-id="${name}"]`);
    return tab || names.length === 1 ? { links, name, panel, tab } : null;
  };
  const show = ({ links, name, panel, tab }) => {
    for (const a of links) {
      if (a.dataset.page === name) a.setAttribute('aria-current', 'page');
      else a.removeAttribute('aria-current');
    }
    const own = links.find((a) => a.dataset.page === name);
    document.title = `${own.textContent} · ${document.querySelector('.top .brand').textContent}`;
    if (tab && tab.getAttribute('aria-selected') !== 'true') {
      tab.click();
      arriving(name);
      if (!panel) scrollTo(0, 0); // all pages are one document: another page's place in it means nothing here
    }
    reveal(links[0].closest('nav'));
    if (panel) arrive(`panel-${name}-${panel}`);
  };
  // Gradio lays a page out in pieces, what stands above now and then after what stands below: at its first opening it is
  // seen once some frames have brought nothing more.
  const laid = new Set();
  const arriving = (name) => {
    if (laid.has(name)) return;
    laid.add(name);
    const pages = document.querySelector('#pages');
    const count = () => pages.getElementsByTagName('*').length;
    const [before, began] = [count(), performance.now()];
    let [last, still, frames] = [before, 0, 0];
    const look = () => {
      const now = count();
      still = now === last && now !== before ? still + 1 : 0;
      last = now;
      frames += 1;
      const over = still >= STILL || (frames > FRAMES && performance.now() - began > PATIENCE);
      if (over) pages.classList.remove('arriving');
      else requestAnimationFrame(look);
    };
    pages.classList.add('arriving');
    requestAnimationFrame(look);
  };
  // A tab is laid out when it is first opened, and grows while its panels fill.
  const arrive = (id) => {
    const hash = location.hash;
    const left = () => location.hash !== hash; // another link was followed meanwhile
    const goal = () => document.getElementById(id);
    lab.when(
      () => left() || goal()?.offsetParent,
      () => left() || hold(goal()),
    );
  };
  const hold = (goal) => {
    const go = () => lab.aim(goal);
    go();
    const growth = new ResizeObserver(go);
    growth.observe(document.body);
    const leave = () => {
      growth.disconnect();
      for (const name of LEAVING) removeEventListener(name, leave);
    };
    for (const name of LEAVING) addEventListener(name, leave, { passive: true });
    setTimeout(leave, 30000); // a busy machine fills its panels for a while
  };
  // Brings a panel into view; whoever leads visitors through the panels may know better what has to be seen of it.
  lab.aim = (goal) => goal.scrollIntoView({ block: 'start' });
  // On a phone the links scroll sideways: the current one in view, a fade where more are.
  const reveal = (nav) => {
    const more = () => {
      nav.classList.toggle('more-left', nav.scrollLeft > 4);
      nav.classList.toggle('more-right', nav.scrollLeft < nav.scrollWidth - nav.clientWidth - 4);
    };
    if (!nav.dataset.watched) {
      nav.dataset.watched = 'yes';
      nav.addEventListener('scroll', more, { passive: true });
      new ResizeObserver(more).observe(nav);
    }
    const link = nav.querySelector('[aria-current]');
    if (link) {
      const [inside, whole] = [link, nav].map((one) => one.getBoundingClientRect());
      nav.scrollLeft += inside.left - whole.left - (whole.width - inside.width) / 2;
    }
    more();
  };

  lab.hold = hold;
  lab.pages = () => lab.when(asked, show);
  lab.skip = (event) => {
    event.preventDefault(); // its #pages is no page's name
    const panel = [...document.querySelectorAll('#pages > [role=tabpanel]')].find((one) => one.offsetParent);
    panel.tabIndex = -1;
    panel.focus();
  };
  // Gradio's document has a base, against which '#name' is another document once the address has a query: loaded anew.
  addEventListener('click', (event) => {
    const link = event.target.closest?.('a[href^="#"]');
    const other = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey; // a tab or a window of its own
    if (!link || other || event.defaultPrevented || link.target === '_blank') return;
    event.preventDefault();
    location.hash = link.getAttribute('href');
  });
  addEventListener('hashchange', lab.pages);
}
