// Asking the server: one call at a time, and answers that come as one text.

// One call at a time, and after it the last one asked for meanwhile. Gradio's 'always_last' is no help here: it repeats
// a custom event with the data of its first call.
lab.inTurn = (send) => {
  const PATIENCE = 5000; // ms after which an answer is not waited for any more
  let since = null;
  let next = null;
  const go = (data) => {
    since = performance.now();
    next = null;
    send(data);
  };
  return {
    ask: (data) => {
      if (since !== null && performance.now() - since < PATIENCE) next = data;
      else go(data);
    },
    answered: () => {
      since = null;
      if (next !== null) go(next);
    },
  };
};

// A value that comes as one text (events.as_text), read once.
lab.ofText = (props) => {
  let text;
  let value;
  return () => {
    if (props.value !== text) {
      text = props.value;
      value = text ? JSON.parse(text) : null;
    }
    return value;
  };
};
