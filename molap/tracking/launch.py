"""Start and end the importer beside a workflow. The Snakefile uses this module, which loads nothing slow."""

import os
import signal
import subprocess
import sys

from molap.config.tracking import TrackingSettings

ENDINGS = (signal.SIGTERM, signal.SIGINT)
"""Signals after which the importer looks once more."""

LONGEST_WAIT_S = 60
"""Seconds that the end of a workflow waits for the importer's last look; then the importer continues by itself."""


class Tracking:
    """The importer of one run of the workflow."""

    def __init__(self, settings: TrackingSettings) -> None:
        self._settings = settings
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        """Start the importer unless tracking is off. It ends by itself when this process ends, however that happens."""
        if not self._settings.enabled:
            return
        command = [sys.executable, "-m", "molap.tracking", "watch", "--parent", str(os.getpid())]
        command += ["--settings", self._settings.model_dump_json()]
        # The importer starts with these signals blocked, and unblocks them once it can handle them, because a workflow
        # may end before the importer's Python has started.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C ends the workflow; the importer then looks once more
            )
        except OSError as error:
            print(f"tracking: not started ({error}); the workflow goes on", file=sys.stderr)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def finish(self) -> None:
        """Let the importer look once more, and wait for it."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(LONGEST_WAIT_S)
        except subprocess.TimeoutExpired:
            print("tracking: the last records are still being brought in, in the background", file=sys.stderr)
