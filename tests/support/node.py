"""Scripts of the app, run by Node."""

import json
import shutil
import subprocess

import pytest

NODE = shutil.which("node")
with_node = pytest.mark.skipif(not NODE, reason="there is no Node: apt install nodejs")


def node(script, given):
    """What a script of Node's, given `input`, prints as JSON."""
    code = f"const input = JSON.parse(require('node:fs').readFileSync(0)); console.log(JSON.stringify({script}))"
    run = subprocess.run([NODE, "-e", code], input=json.dumps(given), capture_output=True, text=True, check=True)
    return json.loads(run.stdout)
