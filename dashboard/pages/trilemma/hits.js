// Which of a chart's points are under the pointer, and where the card beside a point goes.
{
  const REACH = 20; // pixels from the pointer to a point's middle
  const SAME = 3; // points that are no farther apart lie on one another
  const EDGE = 8; // between the card and the edge of the chart
  const GAP = 6; // between the card and the point

  lab.hits = {
    // The places of the boxes within reach of (x, y) that are about as near as the nearest one, which comes first.
    near: (boxes, x, y) => {
      const gaps = boxes.map((box, i) => ({
        i,
        gap: Math.hypot(x - (box.left + box.right) / 2, y - (box.top + box.bottom) / 2),
      }));
      gaps.sort((one, other) => one.gap - other.gap);
      return gaps.filter(({ gap }) => gap < REACH && gap < gaps[0].gap + SAME).map(({ i }) => i);
    },

    // Where a card of a size goes beside a box, inside a frame: at its right, at its left, or as far right as there is room.
    beside: (box, { width, height }, frame) => {
      const room = frame.width - width - EDGE;
      const right = box.right - frame.left + GAP;
      const left = box.left - frame.left - width - GAP;
      const x = right <= room ? right : left >= EDGE ? left : Math.min(room, right);
      const y = Math.min(box.top - frame.top - height / 2, frame.height - height - EDGE);
      return { left: Math.max(EDGE, x), top: Math.max(EDGE, y) };
    },
  };
}
