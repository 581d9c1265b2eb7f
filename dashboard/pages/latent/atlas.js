// The map of latent codes: where a point lies on the screen and back, and how its label is drawn.
{
  const HUES = [5, 212, 135, 288, 28, 182, 330, 92, 250, null]; // 4, 7 and 9 lie together: 9 is grey; the glyph says the same
  const MARGIN = 0.94; // the part of a side that the points take

  lab.atlas = {
    // How points [u, v, ...] fit into a square of `side` pixels: v goes up, one scale for both axes.
    view: (points, side) => {
      const span = (axis) => {
        const values = points.map((point) => point[axis]);
        return [Math.min, Math.max].map((f) => values.reduce((a, b) => f(a, b))); // too many to be arguments
      };
      const [u, v] = [span(0), span(1)];
      const middle = [(u[0] + u[1]) / 2, (v[0] + v[1]) / 2];
      const scale = (MARGIN * side) / Math.max(u[1] - u[0], v[1] - v[0]);
      return {
        middle,
        scale,
        place: (point) => [side / 2 + (point[0] - middle[0]) * scale, side / 2 - (point[1] - middle[1]) * scale],
        under: ([x, y]) => [middle[0] + (x - side / 2) / scale, middle[1] - (y - side / 2) / scale],
      };
    },

    colour: (label, night) => {
      const hue = label < 0 ? null : HUES[label % HUES.length];
      if (hue === null) return night ? '#a0a7b3' : '#5f6876';
      return night ? `hsl(${hue} 48% 68%)` : `hsl(${hue} 52% 38%)`;
    },

    glyph: (label) => (label >= 0 && label < 36 ? label.toString(36) : '·'),
  };
}
