// Where one image of a sheet lies, as a background's size and position: `side` pixels wide, or as wide as its element.
lab.sprite = ({ n, columns }, index, side) => {
  const rows = Math.ceil(n / columns);
  const [x, y] = [index % columns, Math.floor(index / columns)];
  if (side !== undefined)
    return { size: `${columns * side}px ${rows * side}px`, position: `${-x * side}px ${-y * side}px` };
  const share = (place, all) => `${all > 1 ? (100 * place) / (all - 1) : 0}%`;
  return { size: `${columns * 100}% ${rows * 100}%`, position: `${share(x, columns)} ${share(y, rows)}` };
};
