// Where the answer to the sliders stands in the tables that came with the page.
lab.answers = {
  // 'a-b-c' of an address as so many numbers; null where it is none of ours.
  numbers: (text, count) => {
    const found = (text ?? '').split('-').map(Number);
    return found.length === count && found.every((x) => Number.isFinite(x) && x >= 0) ? found : null;
  },

  // Tables go through the three weights, 0 to 100 in steps, the last one fastest.
  byWeights: (step, weights) => {
    const side = 100 / step + 1;
    return weights.reduce((place, weight) => place * side + Math.round(weight / step), 0);
  },

  // Tables go through the times, and within each through the least diversity, 0 to 100 in steps.
  byBudget: (step, time, least) => time * (100 / step + 1) + Math.round(least / step),

  // The place of the time nearest to `ms`, by ratio.
  nearest: (times, ms) => {
    const far = (x) => Math.abs(Math.log(x / ms));
    return times.reduce((best, x, i) => (far(x) < far(times[best]) ? i : best), 0);
  },
};
