"""Known vulnerabilities of the locked packages, by pip-audit: `make audit`.

Ends with 0 if there are none, 1 if there are, and 3, with a sentence, if the database was not asked about every one: no
answer is not a good one, though pip-audit ends with 0 on an index that knows no advisories.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

LOCK = Path(__file__).resolve().parents[1] / "requirements.lock"
COMMAND = ("-m", "pip_audit", "--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json")
FOUND, UNASKED = 1, 3


def verdict(output: str, errors: str) -> tuple[int, str]:
    """Return the exit code and what to print, for what pip-audit wrote."""
    try:
        packages = json.loads(output)["dependencies"]
    except ValueError:
        return UNASKED, f"Not audited, as pip-audit could not ask its database: {errors.strip()[-200:]}"
    found = [f"{one['name']} {one['version']}: {bug['id']}" for one in packages for bug in one.get("vulns", ())]
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    if found:
        return FOUND, "\n".join([f"{len(found)} known vulnerabilities in requirements.lock:", *found])
    if skipped or not packages:
        names = ", ".join(skipped[:3])
        return (
            UNASKED,
            f"Not audited: the database said nothing of {len(skipped)} of {len(packages)} packages ({names}).",
        )
    return 0, f"No known vulnerabilities in the {len(packages)} packages of requirements.lock."


def main() -> int:
    """Ask pip-audit about the lock file, without the names of builds (2.13.0+cpu), and say how it ended."""
    with tempfile.TemporaryDirectory() as scratch:
        asked = Path(scratch, "requirements.txt")
        asked.write_text(re.sub(r"^(\S+==[\w.]+)\+\w+", r"\1", LOCK.read_text(), flags=re.MULTILINE))
        done = subprocess.run([sys.executable, *COMMAND, "--requirement", asked], capture_output=True, text=True)
    code, sentence = verdict(done.stdout, done.stderr)
    print(sentence)
    return code


if __name__ == "__main__":
    sys.exit(main())
