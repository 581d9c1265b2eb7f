"""Pressing the buttons of a run."""

WATCH = """([button, painted]) => {
    const find = (selector) => document.querySelector(selector);
    const last = () => [...find(painted).querySelectorAll('*')].at(-1), old = last();
    let ran = false;
    const was = (one) => one.type === 'attributes' && one.oldValue !== null && one.target.matches(button);
    const note = (changes) => { ran ||= find(button)?.disabled || changes.some(was); };
    const attributes = { attributes: true, attributeFilter: ['disabled'], attributeOldValue: true };
    new MutationObserver(note).observe(document.body, { ...attributes, childList: true, subtree: true });
    window.ended = () => (ran || last() !== old) && !find(button).disabled;
}"""


def run_to_end(page, button, painted):
    """Press a button that is disabled while its run lasts, and wait for the end, however short the run is.

    Whoever looks from outside can come too late to see the button disabled, so an observer in the page looks. A browser
    that was busy may even take a whole run's updates at once and never disable the button: then it is told by what
    the run painted anew.

    Args:
        page: The page.
        button: The button's selector.
        painted: The selector of what every run paints anew, as HTML that replaces what was there.
    """
    page.evaluate(WATCH, [button, painted])
    page.click(button)
    page.wait_for_function("window.ended()")


def stop_when(page, button, seen="true", over="false"):
    """Press the button that stops a run, in the page itself, as soon as it can be pressed and something is seen.

    Whoever looks from outside can come too late: a short run, or a busy browser, and it is over.

    Args:
        page: The page.
        button: The button's selector.
        seen: A condition in JavaScript.
        over: Another, which says that the run has ended by itself.

    Returns:
        Whether it was pressed; else the run was over before.
    """
    found = page.wait_for_function(f"""() => {{
        const stop = document.querySelector('{button}');
        if (!stop || !({seen})) return false;
        if (stop.disabled) return ({over}) && 'over';
        stop.click();
        return 'pressed';
    }}""")
    return found.json_value() == "pressed"
