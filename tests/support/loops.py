"""Coroutines of the app, run by tests that share a process with a browser."""

import asyncio
from concurrent.futures import ThreadPoolExecutor


def run(coroutine):
    """What a coroutine returns. In a thread of its own: a browser's test leaves a loop running in the main one."""
    with ThreadPoolExecutor(1) as elsewhere:
        return elsewhere.submit(asyncio.run, coroutine).result()
