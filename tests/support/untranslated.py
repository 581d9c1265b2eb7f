"""What a page in another language still says in English: read off the page, by the rules of `language.js` itself."""

import re

from dashboard.ui import assets
from dashboard.ui.language import areas
from tests.support.node import node

TEXTS = """() => {
  const page = [...document.querySelectorAll('#pages > [role=tabpanel]')].find((one) => one.offsetParent);
  const around = [...document.body.querySelectorAll('#top, #imported, #lecture-bar, footer')];
  return [page, ...around].flatMap((one) => lab.texts(one));
}"""
WORD = re.compile(r"[A-Za-z]{2,}")
CODE = re.compile(  # commands, paths, names of files, hashes, papers
    r"<(code|kbd)>.*?</\1>|python (?:-m )?[^)가-힣]*|\b[\w.-]+/[\w./-]+|GRADIO_\S+|\b\w+\.(?:jsonl?|npy|npz|zip)\b"
    r"|\b[0-9a-f]{8,}\b|\w+ et al\."
)
SOURCE = re.compile(r"^<strong>Source:|^Source: ")  # papers are named as they are called
ORIGINAL = re.compile(r" \([A-Z][^()]*\)$")  # a slide's own heading, after its translation
# What stands as it is in a Korean sentence: units, formats, functions, hardware, and what the knobs' values are called.
KEPT = set(
    WORD.findall(
        "ms px MB FLOP FLOPs nat UTC CPU GPU cpu cuda dB SNR max min Hz xt "
        "PNG SVG GIF ZIP CSV JSON JSONL QR API MCP MIT SHA JPEG "
        "shapes VAE GAN DDPM CM KID FID ELBO IWAE KL JSD MNIST DDIM UniPC DPM Solver SDE ODE Vendi ADM "
        "Hugging Face Hub log exp softplus eta simple vae gan ddpm sde ddim unipc dpm solver fixed_small "
        "Inception Shift Enter Ctrl AMD EPYC Intel Xeon Processor NVIDIA float bfloat fp English"
    )
)


def names(language):
    """Return the words of what is called the same in the language: entries that are translated by themselves."""
    found = {key for sentences in areas(language).values() for key, words in sentences.items() if key == words}
    return {word for name in found for word in WORD.findall(name)}


def missing(texts, language, also=()):
    """Return the English of what still has English words in it, once each; `also` are words that are no English."""
    known = KEPT | names(language) | {word for name in also for word in WORD.findall(name)}
    found = {}
    for text in texts:
        shown = ORIGINAL.sub("", CODE.sub("", text["now"]))
        if SOURCE.match(text["english"]) or not [word for word in WORD.findall(shown) if word not in known]:
            continue
        found.setdefault(re.sub(r"\d[\d.,]*", "#", text["english"]), f"{text['english']!r} is shown as {text['now']!r}")
    return list(found.values())


ENGLISH = re.compile(r"\b[a-z]{2,} [a-z]{2,}\b(?!')")  # two words in a row; names and settings stand alone
SAID = f"""(() => {{
  globalThis.lab = {{}};
  require({str(assets.ROOT / "ui/sentences.js")!r});
  const said = lab.sentences(input.catalogue);
  return input.texts.map((text) => said(text));
}})()"""


def unsaid(texts, language):
    """Return those of some English texts that have English left in them in the language, without a browser."""
    catalogue = {key: words for sentences in areas(language).values() for key, words in sentences.items()}
    now = node(SAID, {"catalogue": catalogue, "texts": texts})
    found = zip(texts, now, strict=True)
    return [f"{one!r} is shown as {shown!r}" for one, shown in found if ENGLISH.search(CODE.sub("", shown))]
