"""A plugin for pytest: what needs torch is skipped where there is none, and counted."""

import pytest

LACKING = [f"No module named '{name}'" for name in ("torch", "diffusers", "gradio", "datasets")]


def pytest_ignore_collect(collection_path):
    return True if collection_path.name.endswith("_browser.py") else None


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    report = yield
    return skipped(report, collector.path)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    return skipped(report, item.path)


def skipped(report, path):
    """The report, of a skip if it is of a failure to find torch."""
    if report.outcome == "failed" and any(words in str(report.longrepr) for words in LACKING):
        report.outcome, report.longrepr = "skipped", (str(path), 1, "needs torch")
    return report
