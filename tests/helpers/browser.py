"""A real browser for the tests."""

import shutil
from contextlib import contextmanager

import pytest


@contextmanager
def chromium(**options):
    """A context of headless Chromium, made with these options."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not program:
        pytest.skip("there is no Chromium (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        context = running.new_context(**options)
        context.set_default_timeout(180_000)
        yield context
        running.close()
