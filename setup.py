"""What pyproject.toml cannot say: the shipped checkpoints go into the package, below gencore."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
SOURCE, TARGET = "checkpoints", "gencore/shipped"  # where gencore/checkpoint.py looks for them


class WithCheckpoints(build_py):
    """Copies `checkpoints` as well; in an editable install they are found where they are."""

    def run(self) -> None:
        """Build the packages."""
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib, TARGET)
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(ROOT / SOURCE, target, ignore=shutil.ignore_patterns(".*"))


setup(cmdclass={"build_py": WithCheckpoints})
