// The page's scripts, as they hang themselves on `lab`: load('ui/format', ...) runs them and returns it.
const path = require('node:path');

globalThis.lab = {};

exports.load = (...names) => {
  for (const name of names) require(path.join(__dirname, '../../dashboard', `${name}.js`));
  return globalThis.lab;
};
