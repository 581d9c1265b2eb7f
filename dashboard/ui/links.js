// 'Copy link', and what is said about a link: above the page, so that nothing moves.
{
  const SHOWN = 2500; // ms
  const note = () => {
    let node = document.getElementById('link-note');
    if (node) return node;
    node = lab.make('div', { id: 'link-note', hidden: true });
    node.setAttribute('role', 'status');
    (document.querySelector('.gradio-container') ?? document.body).append(node);
    return node;
  };
  const closing = () => {
    const button = lab.make('button', { type: 'button', textContent: '×' });
    button.setAttribute('aria-label', 'Close');
    button.addEventListener('click', () => {
      note().hidden = true;
    });
    return button;
  };
  const put = (...parts) => {
    note().replaceChildren(...parts, closing());
    note().hidden = false;
  };
  lab.tell = (sentences) => put(...sentences.map((words) => lab.make('p', { textContent: words })));

  // What stands nowhere but in this browser, by page: a drawing.
  const lacking = new Map();
  lab.lacking = (page, words) => lacking.set(page, words);
  const lacks = () => {
    const page = document.querySelector('[data-page][aria-current]')?.dataset.page;
    return lacking.get(page) ?? '';
  };

  const selected = (href) => {
    const field = lab.make('input', { value: href, readOnly: true });
    field.setAttribute('aria-label', 'The link to this page as it stands');
    return field;
  };
  const copied = (href) => {
    // without permission, or over http, there is the older way
    const field = lab.make('textarea', { value: href });
    document.body.append(field);
    field.select();
    const done = document.execCommand('copy');
    field.remove();
    return done;
  };
  lab.copyLink = async (button) => {
    lab.address.flush();
    const href = location.href;
    let done = false;
    try {
      await navigator.clipboard.writeText(href);
      done = true;
    } catch {
      done = copied(href);
    }
    const words = lacks();
    if (done) {
      const label = button.querySelector('span');
      label.textContent = 'Copied';
      button.classList.add('done');
      button.setAttribute('aria-label', 'Copied');
      setTimeout(() => {
        label.textContent = 'Copy link';
        button.classList.remove('done');
        button.setAttribute('aria-label', 'Copy link');
      }, SHOWN);
      if (words) lab.tell([`Copied, but ${words}`]);
      return;
    }
    const field = selected(href);
    put(lab.make('p', { textContent: `This browser does not let a page copy: press Ctrl+C. ${words}`.trim() }), field);
    field.focus();
    field.select();
  };
}
