// Numbers, times and counts as words, as dashboard/format.py writes them: tests/dashboard/format_cases.json holds both to it.
{
  // A number with so many digits after the point. `toFixed` rounds a tie up where Python takes the even neighbour.
  const fixed = (number, digits) => {
    const rounded = number.toFixed(digits);
    const [whole, rest] = Math.abs(number).toFixed(60).split('.');
    const tie = /^50*$/.test(rest.slice(digits));
    const before = (whole + rest.slice(0, digits)).at(-1);
    if (!tie || Number(before) % 2) return rounded;
    return `${number < 0 ? '-' : ''}${whole}${digits ? `.${rest.slice(0, digits)}` : ''}`;
  };

  // A time in milliseconds: '0.12 ms', '388 ms', '3.42 s', '2 min 05 s'.
  const duration = (ms) => {
    if (ms < 1000) {
      const digits = ms > 0 ? Math.max(0, 2 - Math.floor(Math.log10(ms))) : 0;
      return `${fixed(ms, Math.min(digits, 3))} ms`;
    }
    const s = ms / 1000;
    if (s < 60) return `${fixed(s, s < 10 ? 2 : 1)} s`;
    return `${Math.floor(s / 60)} min ${String(Math.floor(s % 60)).padStart(2, '0')} s`;
  };

  // A count to three digits: '812', '61,706', '1.2 million'.
  const count = (number) => {
    if (number < 1e6) return fixed(number, 0).replace(/\B(?=(\d{3})+$)/g, ',');
    const [unit, word] = number < 999.5e6 ? [1e6, 'million'] : [1e9, 'billion'];
    const digits = Math.max(0, 2 - Math.floor(Math.log10(number / unit)));
    return `${Number(fixed(number / unit, digits))} ${word}`;
  };

  lab.format = { fixed, duration, count };
}
