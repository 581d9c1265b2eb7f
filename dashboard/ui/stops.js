// A press on Stop is seen at once: its run hears of it within a network call, which may take a while.
addEventListener('click', ({ target }) => {
  const button = target.closest?.('button[id$="-stop"]');
  if (!button) return;
  button.dataset.pressed = '';
  setTimeout(() => delete button.dataset.pressed, 1500);
});
