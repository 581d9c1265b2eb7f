// The place of the decoded picture nearest to a share of a path, of those that are there; -1 where there is none.
lab.nearestFrame = ({ frames, total }, share) => {
  const goal = share * (total - 1);
  const nearer = (best, place) => (best < 0 || Math.abs(place - goal) < Math.abs(best - goal) ? place : best);
  return Object.keys(frames).map(Number).reduce(nearer, -1);
};
