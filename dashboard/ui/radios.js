// Gradio gives each radio button a name of its own, so that the browser takes each for a group: arrow keys stay where they
// are. One name for those of a field, and the browser walks them itself. Gradio draws names of its own again whenever a
// choice is made, so they are given before each key as well as when a button is reached.
for (const moment of ['focusin', 'keydown']) {
  const one = ({ target }) => {
    if (!target.matches?.('input[type=radio]')) return;
    const field = target.closest('fieldset') || target.closest('.block');
    const radios = [...(field?.querySelectorAll('input[type=radio]') || [])];
    for (const radio of radios) radio.name = radios[0].name;
  };
  addEventListener(moment, one, true);
}
