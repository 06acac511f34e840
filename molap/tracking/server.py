"""Run MLflow's own server on this machine, for as long as the command that shows it runs."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress

HOST = "127.0.0.1"

LEAN = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
"""Settings that reduce the server from fifteen processes to two."""

ENDINGS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}

LONGEST_END_S = 5
"""Seconds that the server may take to end before it is killed."""


def why_not_free(port: int) -> str | None:
    """Return the reason why nothing can listen on a port, or None."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server: a released port is free
        try:
            probe.bind((HOST, port))
        except OSError as error:
            return error.strerror
    return None


def serve(store: str, port: int) -> int:
    """Run the server until it ends or a signal ends this process; return its status, and leave no process behind."""
    told: list[int] = []
    # Under nohup, the server keeps running when the terminal is closed.
    for ending in ENDINGS - {signal.SIGHUP} if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else ENDINGS:
        signal.signal(ending, lambda number, _: told.append(number))
    command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", store, "--workers", "1"]
    command += ["--host", HOST, "--port", str(port)]
    # Use a new session, so that one signal reaches the server and everything that it starts.
    server = subprocess.Popen(command, env=os.environ | LEAN, start_new_session=True)
    while not told and server.poll() is None:
        time.sleep(0.1)
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            server.wait(LONGEST_END_S)
        os.killpg(server.pid, signal.SIGKILL)
    return 128 + told[0] if told else server.wait()
