"""Every term that the dashboard uses and a student may not know, in one list: for tooltips, and as a section of a page.

`glossary.js` shows a term's words beside a link made here, and follows it to the section.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Term:
    """A term.

    Attributes:
        key: Its name in addresses.
        name: As it stands in sentences.
        words: What it means.
        spelled: What it is short for, '' where it is a word.
        also: How else it stands in sentences.
    """

    key: str
    name: str
    words: str
    spelled: str = ""
    also: tuple[str, ...] = ()

    @property
    def forms(self) -> tuple[str, ...]:
        """All ways in which it stands in sentences."""
        return self.name, *self.also


LIST = (
    Term("vae", "VAE", "Two networks: one describes an image in a few numbers, the other draws an image from such "
         "numbers. A new image is drawn from numbers picked at random, in one network call.",
         "variational autoencoder"),
    Term("gan", "GAN", "A generator draws images from random numbers; a discriminator learns to tell them from real "
         "ones, and the generator learns to fool it. A new image takes one network call.",
         "generative adversarial network"),
    Term("ddpm", "DDPM", "A network that takes a little noise off an image. A new image begins as pure noise, and the "
         "network is called again and again: more calls, a better image, more time.",
         "denoising diffusion probabilistic model", also=("diffusion model",)),
    Term("consistency", "CM", "A DDPM's network that was taught to say of any noise, however strong, what image it "
         "ends in: one call makes an image, and a few more make it better.", "consistency model"),
    Term("kid", "KID", "How far generated images are from real ones, both seen through the same features: 0 is no "
         "distance. It falls when images look more real, and also when they are more varied.",
         "kernel inception distance"),
    Term("precision", "precision", "The share of generated images that lie among the real ones: how many look real."),
    Term("recall", "recall", "The share of real images that lie among the generated ones: how much of what is real the "
         "model can make."),
    Term("density", "density", "How many real images a generated one has around it: like precision, but typical images "
         "count for more. It may pass 1."),
    Term("coverage", "coverage", "The share of real images that have a generated one near them."),
    Term("vendi_ratio", "Vendi ratio", "How many different images there really are among the generated ones, over the "
         "same number for real ones: 1 is as varied as real."),
    Term("class_balance", "class imbalance", "The share of images that would have to be of another class (another "
         "digit) for the classes to be as frequent as in real images: 0 is balanced.", also=("class balance",)),
    Term("sharpness", "sharpness", "The power of an image's finest waves over that of real images: 1 is as sharp as "
         "real, below is blur, above is noise. It needs no features."),
    Term("features", "features", "What a network notices in an image, as numbers. Images are compared by them, not by "
         "their pixels: what the features do not notice does not count."),
    Term("classifier", "classifier", "Features of a network that learned to name an image's class: they see what tells "
         "one class from another, and forgive slight blur.", also=("classifier features",)),
    Term("self-supervised", "self-supervised", "Features of a network that learned, without labels, to recognise an "
         "image that was moved a little: they see what sets one image apart from another.",
         also=("self-supervised features",)),
    Term("random", "random features", "Features of a network that has learned nothing: they see edges and grain."),
    Term("pixels", "pixels features", "The main directions in which images' pixels differ: they see where the ink "
         "lies."),
    Term("real-data", "real data", "Real images measured as the generated ones are, against other real images: what a "
         "perfect model would score.", also=("real-data baseline",)),
    Term("interval", "95% interval", "How sure a number is. The images are generated several times, and the number "
         "would lie within ± this much in 95 of 100 such repeats. How it would be after another training is not in it.",
         also=("95% intervals", "interval")),
    Term("not-known", "not known", "The noise is as large as the difference: neither is called better, and neither "
         "wins by it."),
    Term("n", "n", "How many images were generated at a time. Most scores depend on it, so they are compared at the "
         "same n alone; KID does not."),
    Term("generations", "generations", "How many times n images were generated, each from other random numbers."),
    Term("point", "operating point", "A model with one setting of its knobs: a number of steps, a temperature.",
         also=("operating points",)),
    Term("calls", "network calls", "How many times the network runs for one image: nearly all of its time.",
         also=("network call",)),
    Term("sampler", "sampler", "The way in which a diffusion model goes from noise to an image: how many steps, and "
         "how each is done (ancestral, DDIM, DPM-Solver++, UniPC)."),
    Term("truncation", "truncation", "Random numbers drawn nearer to the middle: more typical images, fewer different "
         "ones. 1 is none."),
    Term("temperature", "temperature", "Random numbers spread less (below 1) or more (above 1) than the model was "
         "trained for."),
    Term("prior", "fitted prior", "Where a VAE's random numbers come from: fitted to the encoded training images, or "
         "the plain normal distribution N(0, I) of the lecture.", also=("prior N(0, I)",)),
    Term("front", "Pareto front", "The points that none is both faster and better than."),
)  # fmt: skip
TERMS = {term.key: term for term in LIST}
_BY_FORM = {form.lower(): term for term in LIST for form in term.forms}
_FORMS = re.compile(
    r"(?<![\w-])(" + "|".join(re.escape(form) for form in sorted(_BY_FORM, key=len, reverse=True)) + r")(?![\w-])", re.I
)
UNMARKED = ("n", "features", "interval")  # of what is read at every turn, and told where it counts


def link(key: str, shown: str = "") -> str:
    """Return a term as a link to what it means, which also shows it at once."""
    return f'<a class="term" href="#term-{key}" data-term="{key}">{escape(shown or TERMS[key].name)}</a>'


def mark(words: str) -> str:
    """Return words as markup, the first mention of each term a link."""
    told, parts, at = set(UNMARKED), [], 0
    for found in _FORMS.finditer(words):
        term = _BY_FORM[found[0].lower()]
        if term.key not in told:
            parts += [escape(words[at : found.start()]), link(term.key, found[0])]
            at = found.end()
        told.add(term.key)
    return "".join(parts) + escape(words[at:])


def spelled(key: str) -> str:
    """Return a term with what it is short for: 'KID (kernel inception distance)'."""
    term = TERMS[key]
    return f"{term.name} ({term.spelled})" if term.spelled else term.name


def script() -> str:
    """Return the script that hands the list to the others."""
    told = {term.key: [term.spelled or term.name, term.words] for term in LIST}
    return f"lab.terms = {json.dumps(told, ensure_ascii=False)};".replace("</", "<\\/")


def section(page: str) -> str:
    """Return the list as a section of a page, folded until a link leads to it."""
    rows = "".join(
        f'<div id="panel-{page}-term-{term.key}"><dt>{escape(spelled(term.key))}</dt>'
        f"<dd>{escape(term.words)}</dd></div>"
        for term in LIST
    )
    return f'<details class="terms card"><summary>All terms in plain words</summary><dl>{rows}</dl></details>'
