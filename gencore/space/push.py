"""The checkout, uploaded to the Hub as a Space."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gencore.errors import InputError, reason
from gencore.space.project import Project
from gencore.space.requirements import written_for

MESSAGE = "Trilemma Lab"


def push(project: Project, name: str, hardware: str, private: bool | None = None, endpoint: str | None = None) -> str:
    """Make the checkout a Space, or bring a Space up to date with it; return its address.

    Everything goes through `huggingface_hub.HfApi.upload_folder`, which sends binary files as the Hub wants them; git
    is not asked. Files of the Space that the checkout no longer has are deleted.

    Args:
        project: The checkout.
        name: 'OWNER/NAME'.
        hardware: Such as 'zero-a10g' or 'cpu-basic'; for a Space that is there already, only for its requirements.
        private: Whether a new Space is private; None for the owner's default.
        endpoint: The Hub's address; else HF_ENDPOINT, else huggingface.co.

    Raises:
        InputError: if the Hub cannot be reached, knows no token, or refuses.
    """
    from huggingface_hub import HfApi

    if name.count("/") != 1:
        raise InputError(f"--push takes OWNER/NAME, such as someone/trilemma-lab, not {name!r}.")
    api = HfApi(endpoint=endpoint, token=True)  # or it says that there is none
    with _in_a_sentence(name), tempfile.TemporaryDirectory() as scratch:
        lay_out(project, Path(scratch), f"{api.endpoint}/spaces/{name}", hardware)
        url = api.create_repo(
            name, repo_type="space", space_sdk="gradio", space_hardware=hardware, private=private, exist_ok=True
        )
        api.upload_folder(
            repo_id=name, repo_type="space", folder_path=scratch, commit_message=MESSAGE, delete_patterns="*"
        )
    return str(url)


def lay_out(project: Project, folder: Path, address: str, hardware: str) -> None:
    """Write the files of a Space into a folder: its requirements are the hardware's, its thumbnail an address.

    The checkout's .gitattributes is none of them: the Hub writes one into a new Space, which says what it keeps outside
    of git, and adds to it.
    """
    for path in project.files():
        target = folder / path.relative_to(project.root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    (folder / "requirements.txt").write_text(written_for(project, hardware))
    image, readme = str(project.front.get("thumbnail", "https://")), folder / "README.md"
    if not image.startswith("https://"):
        text = readme.read_text()
        readme.write_text(text.replace(f"thumbnail: {image}\n", f"thumbnail: {address}/resolve/main/{image}\n", 1))


@contextmanager
def _in_a_sentence(name: str) -> Iterator[None]:
    """Tell in one sentence why the Hub could not be asked, or what it refused."""
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalTokenNotFoundError,
        OfflineModeIsEnabled,
    )

    try:
        yield
    except OfflineModeIsEnabled:
        raise InputError("The Hub is not asked while HF_HUB_OFFLINE=1 is set.") from None
    except LocalTokenNotFoundError:
        raise InputError(NO_TOKEN) from None
    except HFValidationError as error:
        raise InputError(f"{name!r} is no name for a Space: {reason(error)}.") from None
    except HfHubHTTPError as error:
        raise InputError(_refusal(name, error.response.status_code, reason(error))) from None
    except Exception as error:  # of the HTTP client's own, which the Hub's library has changed before
        if not isinstance(error, OSError) and not type(error).__module__.startswith("httpx"):
            raise
        raise InputError(f"The Hub cannot be reached: {reason(error)}.") from None


NO_TOKEN = "The Hub needs a token of yours that may write: `hf auth login`, or set HF_TOKEN."
REFUSALS = {  # by the status of HTTP
    401: NO_TOKEN,
    402: "The Hub asks for a plan to host {name} on this hardware; a free account hosts Gradio on ZeroGPU alone: "
    "--hardware zero-a10g.",
    403: "This token may not write to {name}: make one that may, or choose an OWNER of yours.",
    404: "The Hub knows no {name} that this token may see.",
    429: "The Hub asks to try again later: too many requests.",
}


def _refusal(name: str, status: int, said: str) -> str:
    return REFUSALS.get(status, f"The Hub refused {{name}} with {status}: {said}.").format(name=name)
