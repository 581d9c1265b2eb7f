// The lecture's ways: which steps they have, when each begins, and which step an address is.
lab.way = (() => {
  const clock = (minutes) => {
    const seconds = Math.round(60 * minutes);
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  };
  // The steps of a way, each with when it begins, how long the way is, and its place among all steps.
  const steps = (all, name) => {
    let at = 0;
    const found = all
      .map((step, every) => ({ ...step, every }))
      .filter((step) => step.ways.includes(name))
      .map((step) => {
        const begun = { ...step, at: clock(at) };
        at += step.minutes;
        return begun;
      });
    return found.map((step) => ({ ...step, of: clock(at) }));
  };
  // The place of the step that an address is, -1 where it is none.
  const place = (found, address) => found.findIndex((step) => step.href === address);
  // The way that a step chosen among all is on: the one being walked, else the first that has it.
  const on = (step, name) => (step.ways.includes(name) ? name : step.ways[0]);
  return { clock, steps, place, on };
})();
