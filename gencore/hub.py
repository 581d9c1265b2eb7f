"""Checkpoints on the Hugging Face Hub: given out with cards, and anyone's taken in, verified as foreign ones are.

What is taken in is JSON, safetensors, a log and pictures; no pickle is fetched and no code run.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gencore import checkpoint
from gencore.checkpoint import CONFIG, LOG, RUN, TIMELAPSE, WEIGHTS, Entry
from gencore.data import HUB_IDS, dataset_key
from gencore.errors import InputError, reason
from gencore.evaluation.rows import checkpoint_hash
from gencore.families import FAMILIES
from gencore.paths import as_path, read_file, whole

CARD = "README.md"
SMALL = (CONFIG, RUN, CARD)  # fetched first: what is no checkpoint costs no download of weights
KEPT = (CONFIG, WEIGHTS, RUN, CARD, LOG, "cost.json", "preview.png")
NAME = re.compile(r"[\w-][\w.-]{0,95}/[\w-][\w.-]{0,95}")
REVISION = re.compile(r"[\w.][\w./-]{0,199}")
LICENCE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,49}")
TASK, LIBRARY, TAG = "unconditional-image-generation", "gencore", "trilemma-lab"
SPARE = 2**20  # bytes that a header of weights may take beside them


def push(name: str | Path, repo: str, licence: str = "", private: bool = False) -> str:
    """Give a checkpoint out as a model repository, made if it is not there, and return its address.

    Args:
        name: The checkpoint.
        repo: 'OWNER/NAME'.
        licence: The card's; by default the one that the card or its origin names, else 'unknown'.
        private: Whether a repository that is made is seen by its owner alone.

    Raises:
        InputError: if the checkpoint is not usable, no token is there, or the Hub refuses or cannot be reached.
    """
    from huggingface_hub import HfApi, get_token

    _checked(repo, "")
    if licence and not LICENCE.fullmatch(licence):
        raise InputError(f"A licence is a word such as mit or cc-by-4.0, not {licence!r}.")
    entry = checkpoint.find(name)
    checkpoint.load(entry, device="cpu")
    if not get_token():
        raise InputError("The Hub takes nothing without a token: log in with `hf auth login`, or set HF_TOKEN.")
    with tempfile.TemporaryDirectory() as place:
        folder = staged(entry, Path(place), repo, licence)
        with _told(repo):
            api = HfApi(library_name=LIBRARY)
            api.create_repo(repo, repo_type="model", private=private, exist_ok=True)
            found = api.upload_folder(
                repo_id=repo, folder_path=folder, repo_type="model", commit_message=f"{entry.path.name}, by gencore"
            )
    return str(getattr(found, "commit_url", "") or f"https://huggingface.co/{repo}")


def staged(entry: Entry, folder: Path, repo: str, licence: str = "") -> Path:
    """Write what is given out of a checkpoint into a folder, and return it: no path of this machine is in it."""
    for file in _files(entry.path):
        place = file.relative_to(entry.path)
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        try:
            content = read_file(file)
        except OSError as error:
            raise InputError(f"{file} cannot be read ({error.strerror or error}).") from None
        (folder / place).write_bytes(content)
    if entry.run:
        checkpoint.write_json(folder / RUN, for_others(entry))
    (folder / CARD).write_text(card(entry, repo, licence), encoding="utf-8")
    return folder


def for_others(entry: Entry) -> dict[str, Any]:
    """Return a checkpoint's run.json without paths of this machine: of a data set that is a folder, its name alone."""
    data, plain = entry.dataset, dataset_key(entry.dataset)
    local = {} if data in (plain, HUB_IDS.get(plain)) or _is_hub_id(data) else {data: plain}
    local |= {str(Path.cwd()): ".", str(Path.home()): "~"}

    def told(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: told(one) for key, one in value.items()}
        if isinstance(value, list):
            return [told(one) for one in value]
        if isinstance(value, str):
            for path, word in local.items():
                value = value.replace(path, word) if len(path) > 1 else value
        return value

    return told(entry.run)


def card(entry: Entry, repo: str, licence: str = "") -> str:
    """Return a checkpoint's card for the Hub: its own, or one made of what is known, with the front matter it lacks."""
    from huggingface_hub import ModelCard

    own = ""
    if (entry.path / CARD).is_file():
        own = (entry.path / CARD).read_text(encoding="utf-8", errors="replace")
    made = ModelCard(own or f"# {FAMILIES[entry.family].title} on {dataset_key(entry.dataset)}\n\n{text(entry, repo)}")
    data = made.data
    data["library_name"] = data.get("library_name") or LIBRARY
    data["pipeline_tag"] = data.get("pipeline_tag") or TASK
    data.license = licence or data.license or entry.origin.get("licence") or "unknown"
    data.tags = list(dict.fromkeys([*(data.tags or []), TAG, entry.family, "image-generation"]))
    known = HUB_IDS.get(dataset_key(entry.dataset))
    if known or _is_hub_id(entry.dataset):
        data.datasets = data.datasets or [known or entry.dataset]
    return str(made)


def text(entry: Entry, repo: str) -> str:
    """Return what a card says of a checkpoint that has none of its own."""
    trained = entry.trained
    facts = [f"{trained['images']:,} images seen"] if "images" in trained else []
    facts += [f"{trained['seconds']:,.0f} s of training"] if "seconds" in trained else []
    about = [FAMILIES[entry.family].about, f"{', '.join(facts)}." if facts else ""]
    use = (
        f"python -m gencore hub --pull {repo} --out runs/mine\npython -m gencore sample runs/mine --n 64 --out mine.png"
    )
    return "\n\n".join([*filter(None, about), f"```\n{use}\n```"]) + "\n"


def pull(repo: str, out: str | Path | None = None, data: str | None = None) -> Path:
    """Take a checkpoint in from the Hub, and return its folder; run.json says where it comes from.

    Args:
        repo: 'OWNER/NAME', or 'OWNER/NAME@REVISION': a branch, tag or commit.
        out: The checkpoint's folder, by default `runs/NAME`.
        data: The data set that it is compared with; by default the one that it says it was trained on.

    Raises:
        InputError: if there is no such repository, the Hub cannot be reached, the folder is taken, or it is no
            checkpoint of a family here: its weights must be safetensors, of the shapes that its config calls for.
    """
    repo, _, revision = repo.partition("@")
    _checked(repo, revision)
    out = as_path(out) if out else Path("runs", repo.rpartition("/")[2])
    if (out / CONFIG).exists() or (out / WEIGHTS).exists() or (out / RUN).exists():
        raise InputError(f"{out} already holds a run; choose another folder with --out.")
    folder = _fetched(repo, revision or None, SMALL)
    if not (folder / CONFIG).is_file():
        raise InputError(f"{repo} has no {CONFIG}, so it is no checkpoint of gencore's.")
    with _foreign(repo, folder):
        size = checkpoint.weights_size(folder)
    commit = folder.name
    promised = _promised(repo, commit)
    if promised.get("size", 0) > 2 * size + SPARE:
        raise InputError(f"{repo} has weights of {promised['size']:,} bytes, and its {CONFIG} calls for {size:,}.")
    folder = _fetched(repo, commit, (*KEPT, f"{TIMELAPSE}/*.png"))
    with whole(out) as staging:
        _copy(folder, staging)
        _refuse_other_weights(staging, repo, promised)
        with _foreign(repo, staging):
            checkpoint.load(staging, device="cpu")
            record = checkpoint.read_json(staging / RUN) if (staging / RUN).exists() else {}
        checkpoint.write_json(staging / RUN, _adopted(record, repo, commit, staging, data))
    return out


def _checked(repo: str, revision: str) -> None:
    if not NAME.fullmatch(repo):
        raise InputError(f"A model on the Hub is called OWNER/NAME, not {repo!r}.")
    if revision and (not REVISION.fullmatch(revision) or ".." in revision):
        raise InputError(f"A revision is a branch, a tag or a commit, not {revision!r}.")


def _is_hub_id(data: str) -> bool:
    return bool(NAME.fullmatch(data)) and not as_path(data).exists()


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files of a checkpoint that others need: not the state that a training goes on from."""
    for path in [*(folder / name for name in KEPT if name != CARD), *sorted((folder / TIMELAPSE).glob("*.png"))]:
        if path.exists():
            yield path


def _fetched(repo: str, revision: str | None, patterns: tuple[str, ...]) -> Path:
    """Return the folder of a repository's files in the Hub's cache, fetched where they are not there."""
    from huggingface_hub import snapshot_download

    with _told(repo, revision):
        return Path(snapshot_download(repo, revision=revision, allow_patterns=list(patterns), library_name=LIBRARY))


def _promised(repo: str, commit: str) -> dict[str, Any]:
    """Return the size and SHA-256 of the weights that the Hub tells of; {} where it does not."""
    from huggingface_hub import HfApi

    with _told(repo, commit):
        info = HfApi(library_name=LIBRARY).model_info(repo, revision=commit, files_metadata=True)
    weights = next((one for one in info.siblings or () if one.rfilename == WEIGHTS), None)
    if weights is None:
        raise InputError(f"{repo} has no {WEIGHTS}; weights of other kinds, such as pickles, are never fetched.")
    return {"size": weights.size or 0, "sha256": weights.lfs.sha256 if weights.lfs else ""}


def _copy(source: Path, target: Path) -> None:
    """Copy a checkpoint's files out of the Hub's cache, where they are links."""
    for file in (*_files(source), *([source / CARD] if (source / CARD).is_file() else [])):
        place = target / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(read_file(file))


def _refuse_other_weights(folder: Path, repo: str, promised: Mapping[str, Any]) -> None:
    """Raise InputError if the weights that came are not those that the Hub tells of."""
    if not (folder / WEIGHTS).is_file():
        raise InputError(f"{repo} has no {WEIGHTS}.")
    with (folder / WEIGHTS).open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if promised["sha256"] and found != promised["sha256"]:
        raise InputError(
            f"The weights of {repo} are not those that the Hub tells of (SHA-256 {found[:16]}...); try again."
        )


@contextmanager
def _foreign(repo: str, folder: Path) -> Iterator[None]:
    """Name the repository in a sentence, not the folder that its files lie in for a moment."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{repo} is refused: {str(error).replace(f'{folder}/', '')}") from None


def _adopted(record: Mapping[str, Any], repo: str, commit: str, folder: Path, data: str | None) -> dict[str, Any]:
    """Return the run.json of a checkpoint that was taken in."""
    from gencore.pipelines import licence

    told = record.get("data")
    data = data or (told if isinstance(told, str) and (told in HUB_IDS.values() or NAME.fullmatch(told)) else "")
    data = data or (dataset_key(told) if isinstance(told, str) else "")
    if not data or set(data) <= {"."}:
        raise InputError(f"{repo} does not say what it was trained on; name the data set to compare it with by --data.")
    origin = {"source": repo, "revision": commit, "licence": licence(folder), "hash": checkpoint_hash(folder)}
    return {**record, "data": data, "origin": origin}


@contextmanager
def _told(repo: str, revision: str | None = None) -> Iterator[None]:
    """Make a sentence of what goes wrong between here and the Hub."""
    from huggingface_hub import errors

    try:
        yield
    except InputError:
        raise
    except errors.GatedRepoError as error:
        raise InputError(f"{repo} is gated: ask for access on its page, and log in with `hf auth login`.") from error
    except errors.RepositoryNotFoundError as error:
        raise InputError(
            f"There is no model {repo!r} on the Hub, or it is private and your token does not open it."
        ) from error
    except errors.RevisionNotFoundError as error:
        raise InputError(f"{repo} has no revision {revision!r}.") from error
    except errors.HfHubHTTPError as error:
        status = getattr(error.response, "status_code", None)
        if status in (401, 403):
            raise InputError(
                f"The Hub does not let this token write to or read {repo}; log in with `hf auth login`."
            ) from error
        raise InputError(f"The Hub refused {repo} ({reason(error)}).") from error
    except Exception as error:  # of httpx and others, which share no base class
        raise InputError(f"The Hugging Face Hub could not be reached for {repo!r} ({reason(error)}).") from error
