// In the lecture, a step's control and its picture are brought into view together.
(() => {
  const GAP = 8; // pixels above what is shown
  // Where the view should begin: at the panel's top where all that is needed fits below it, else at the first thing needed.
  const start = (panel, needed, room) => {
    const end = Math.max(...needed.map((box) => box.bottom));
    if (!needed.length || end - panel.top + GAP <= room) return panel.top;
    return Math.max(panel.top, Math.min(...needed.map((box) => box.top)));
  };
  const seen = (selector, inside) =>
    [...inside.querySelectorAll(selector)].find((one) => one.getClientRects().length)?.getBoundingClientRect();
  const plain = lab.aim;

  lab.aim = (goal) => {
    const step = lab.lecture?.step();
    const whole = goal.matches('[role=tabpanel]'); // of a step that has no panel
    const mine = whole || goal.id === `panel-${step?.href.slice(1).replace('/', '-')}`;
    if (!step || !mine) return plain(goal);
    const needed = step.view.map((selector) => seen(selector, goal)).filter(Boolean);
    const height = (one) => one?.getBoundingClientRect().height ?? 0;
    const chooser = goal.closest('[role=tabpanel]').querySelector('[id$="-image-picker"], .shared:has(#gan-run)');
    const above = chooser && getComputedStyle(chooser).position === 'sticky' ? height(chooser) : 0;
    const bar = height(document.getElementById('lecture-bar'));
    const from = start(goal.getBoundingClientRect(), needed, innerHeight - bar - above);
    scrollTo(0, scrollY + from - above - GAP);
  };
  lab.aim.start = start;
  // Of a step that is a whole page: scrolls down to what is needed where the first screen does not have it.
  lab.aim.page = (step) => {
    const left = () => location.hash !== step.href;
    const find = () => step.view.map((selector) => seen(selector, document));
    lab.when(
      () => left() || find().every(Boolean),
      () => {
        const end = innerHeight - (document.getElementById('lecture-bar')?.offsetHeight ?? 0);
        if (left() || find().every((box) => box.bottom <= end)) return;
        lab.hold([...document.querySelectorAll('#pages > [role=tabpanel]')].find((one) => one.offsetParent));
      },
    );
  };
})();
