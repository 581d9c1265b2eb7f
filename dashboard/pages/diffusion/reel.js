// A film's frames while they are made: some places of `kept` are empty yet.
lab.reel = {
  length: ({ kept, frames }) => kept || frames.length,

  // The frame to show at a share of the film, or the last one before it that is there.
  place: (side, share) => {
    let place = Math.round(share * (lab.reel.length(side) - 1));
    while (place > 0 && !side.frames[place]) place -= 1;
    return place;
  },

  // The share of the film that is made.
  done: (side) => (side.frames.length - 1) / Math.max(1, lab.reel.length(side) - 1),
};
