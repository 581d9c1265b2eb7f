"""What keeps the app from starting is said in one sentence, before anything is loaded."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dashboard.__main__ import WHOLE, problem_of
from dashboard.app import check_address
from dashboard.service import InputError

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("value", ["abc", "-1", "7860.0", "9999999", "７８６０", "1e3"])
def test_numbers_are_numbers(name, value):
    assert problem_of({name: value}).startswith(f"{name} must be a whole number from ")


def test_what_is_right_or_not_there_passes():
    assert problem_of({"GRADIO_SERVER_PORT": "7861", "GRADIO_DEBUG": "0", "GRADIO_NUM_PORTS": ""}) == ""
    assert problem_of({}) == ""


@pytest.mark.parametrize("command", [["app.py"], ["-m", "dashboard"]])
def test_the_app_ends_with_the_sentence(command):
    env = os.environ | {"GRADIO_SERVER_PORT": "abc"}
    done = subprocess.run([sys.executable, *command], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert done.stderr == "Error: GRADIO_SERVER_PORT must be a whole number from 1 to 65535, not 'abc'.\n"


def test_a_port_that_is_taken():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=rf"127\.0\.0\.1:{port} \(another program has this port\).*another port"):
            check_address("127.0.0.1", port)
    check_address("127.0.0.1", port)


@pytest.mark.parametrize("name", ["192.0.2.1", "no such name"])
def test_an_address_of_another_machine(name):
    with pytest.raises(InputError, match="choose another address with GRADIO_SERVER_NAME"):
        check_address(name, 7860)
