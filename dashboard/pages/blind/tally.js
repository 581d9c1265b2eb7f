// The blind vote's tally: counted from the rounds that this browser keeps; no server knows them.
lab.blindTally = (() => {
  const Z = 1.959964; // of a 95% interval
  // Wilson's interval of a share, k of n (Wilson 1927), within which it lies; null where there is none.
  const wilson = (k, n) => {
    if (!n) return null;
    const share = k / n;
    const middle = (share + (Z * Z) / (2 * n)) / (1 + (Z * Z) / n);
    const half = (Z / (1 + (Z * Z) / n)) * Math.sqrt((share * (1 - share)) / n + (Z * Z) / (4 * n * n));
    return [Math.max(0, middle - half), Math.min(1, middle + half)];
  };
  const settings = (lanes) =>
    Object.fromEntries(lanes.filter(({ family }) => family !== 'real').map(({ family, setting }) => [family, setting]));
  // Whether a round was of these settings: a vote says something of the operating points that were seen alone.
  const fits = (round, data, wanted) => {
    const mine = settings(round.lanes);
    const names = Object.keys(mine);
    return round.data === data && names.length > 0 && names.every((name) => mine[name] === wanted[name]);
  };
  // What a lane's rounds came to: wins, ties, losses by question.
  const count = (rounds, family) => {
    const of = (question) => {
      const found = { wins: 0, ties: 0, losses: 0, n: 0, chance: 0 };
      for (const { lanes, votes } of rounds) {
        const place = lanes.findIndex((lane) => lane.family === family);
        if (place < 0) continue;
        found.n += 1;
        found.chance += 1 / lanes.length;
        if (!votes[question]) found.ties += 1;
        else if (votes[question] === place + 1) found.wins += 1;
        else found.losses += 1;
      }
      return found;
    };
    return { real: of('real'), varied: of('varied') };
  };
  // The lanes that were chosen most often, and how often.
  const most = (lanes, question) => {
    const named = ({ family, title }) => (family === 'real' ? 'the real images' : title);
    const top = Math.max(0, ...lanes.map((lane) => lane.counted[question].wins));
    return {
      top,
      titles: top ? lanes.filter((lane) => lane.counted[question].wins === top).map(named) : [],
    };
  };
  const plural = (number, noun) => `${number} ${noun}${number === 1 ? '' : 's'}`;
  const cell = (text) => (/[",\n]/.test(text) ? `"${String(text).replaceAll('"', '""')}"` : String(text));
  const csv = (rounds) => {
    const wide = Math.max(0, ...rounds.map((round) => round.lanes.length));
    const lane = (one) => (one ? [one.title, one.setting].filter(Boolean).join(': ') : '');
    const chosen = (round, question) => (round.votes[question] ? lane(round.lanes[round.votes[question] - 1]) : 'tie');
    const head = [
      'at',
      'data',
      'seed',
      ...Array.from({ length: wide }, (_, i) => `lane ${i + 1}`),
      'looks real',
      'varied',
    ];
    const lines = rounds.map((round) => [
      round.at,
      round.data,
      round.seed,
      ...Array.from({ length: wide }, (_, i) => lane(round.lanes[i])),
      chosen(round, 'real'),
      chosen(round, 'varied'),
    ]);
    return [head, ...lines].map((line) => `${line.map(cell).join(',')}\r\n`).join('');
  };
  return { wilson, settings, fits, count, most, plural, csv };
})();
