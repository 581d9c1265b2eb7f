// Which rows of a table are shown, and in which order.
lab.rows = {
  // Whether a text holds each word of a query. A hash has '20' in it by chance: it is found by its first four digits.
  has: (text, query, hash = '') => {
    const words = query.trim().toLowerCase().split(/\s+/);
    return words.every((word) => text.toLowerCase().includes(word) || (word.length >= 4 && hash.startsWith(word)));
  },

  // The rows by `value(row)`, a number, a text or null: what is missing stays last, and equal ones keep their order.
  sorted: (rows, value, down) => {
    const order = (a, b) =>
      typeof a === 'number' ? a - b : String(a).localeCompare(String(b), 'en', { numeric: true });
    const pairs = rows.map((row) => [value(row), row]);
    pairs.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      return down ? -order(a, b) : order(a, b);
    });
    return pairs.map(([, row]) => row);
  },
};
