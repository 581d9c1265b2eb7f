// Gradio gives each radio button a name of its own, so that the browser takes each for a group: arrow keys stay where they
// are. One name for those of a field, given when one is reached, and the browser walks them itself.
addEventListener('focusin', ({ target }) => {
  if (!target.matches('input[type=radio]')) return;
  const field = target.closest('fieldset') || target.closest('.block');
  const radios = [...(field?.querySelectorAll('input[type=radio]') || [])];
  for (const radio of radios) radio.name = radios[0].name;
});
