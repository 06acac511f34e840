"""Start jobs quickly: one process imports what every job imports, and each job is a fork of it.

Importing JAX and its dependencies takes a second of CPU time; most jobs of a small run need little more than that. The
workflow starts the server on this machine, beside its jobs. Instead of `python -m molap.stages.NAME …`, the shell of
each job runs this file, which asks the server for a fork, passes signals on to it, and exits with its status. If no
server answers, this process becomes that command itself.

No module of the package is imported in advance, so that a job always runs the source that it finds.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import selectors
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback

IMPORTED = (
    *("jax.numpy", "optax", "jaxtyping", "pandas", "yaml", "sklearn.decomposition", "seaborn"),
    *("matplotlib.backends.backend_agg", "matplotlib.figure"),
    # pydantic itself imports its parts only when they are used
    *("pydantic.fields", "pydantic.main", "pydantic.functional_serializers", "pydantic.functional_validators"),
)
PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
BLOCKED = (*PASSED_ON, signal.SIGTSTP, signal.SIGCONT)
LONGEST_WAIT_S = 60
"""Seconds that a job waits for the server's answer before it starts by itself."""
SWITCH = "MOLAP_FORKS"
"""Environment variable; if it is `off`, every job starts by itself."""


class Forks:
    """The server of one run of the workflow. It ends when the process that started it ends, however that happens.

    As a context it starts the server, and gives what a job's shell has to run first.
    """

    def __init__(self) -> None:
        self._server: subprocess.Popen[bytes] | None = None
        self._folder = ""

    def __enter__(self) -> str:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.finish()

    def start(self) -> str:
        """Start the server, and return what a job's shell has to run first; empty if jobs start by themselves.

        Jobs start by themselves if there is no place for a socket (a long TMPDIR), and where forks are not safe.
        """
        if sys.platform != "linux" or os.environ.get(SWITCH) == "off":
            return ""  # a fork of a process that has loaded macOS's frameworks may crash
        try:
            path = self._start()
        except OSError:
            self.finish()
            return ""
        # Without site-packages the interpreter starts in a third of the time. Other uses of `python` are left
        # alone. A job is the last command of its shell and replaces the shell's process.
        words = shlex.join([sys.executable, "-I", "-S", __file__, "ask", path])
        return f'python() {{ case "${{2-}}" in molap.stages.*) exec {words} "$@";; *) command python "$@";; esac; }}\n'

    def _start(self) -> str:
        self._folder = tempfile.mkdtemp(prefix="molap-")  # nobody else may connect
        path = os.path.join(self._folder, "socket")
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        environment["JE_ARROW_MALLOC_CONF"] = "background_thread:false"  # pandas loads Arrow if it is installed
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen(64)  # jobs that ask during the imports wait
            command = [sys.executable, "-m", "molap.jobs.forks", "serve", self._folder, str(listener.fileno())]
            self._server = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[listener.fileno()],
                start_new_session=True,
            )
        return path

    def finish(self) -> None:
        """End the server; forks that are still working continue."""
        if self._server:
            self._server.kill()
            self._server.communicate()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


def ask(path: str, arguments: list[str]) -> None:
    """End as a fork of the server at `path` that runs `python ARGUMENTS`, or run it in this process."""
    signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED)  # until there is a process to pass them on to
    while (lowest := os.open(os.devnull, os.O_RDWR)) < 3:
        pass  # the connection must not take the place of a closed standard stream
    os.close(lowest)
    os.umask(umask := os.umask(0))
    job = {"arguments": arguments, "folder": os.getcwd(), "environment": dict(os.environ), "umask": umask}
    server = socket.socket(socket.AF_UNIX)
    server.settimeout(LONGEST_WAIT_S)
    try:
        woken, wakes = socket.socketpair()
        server.connect(path)
        data = json.dumps(job).encode()
        socket.send_fds(server, [len(data).to_bytes(4, "big")], [0, 1, 2])
        server.sendall(data)
        answer = _receive(server, 4)
        server.settimeout(None)
        fork = int.from_bytes(answer, "big") if len(answer) == 4 else 0
    except OSError:
        fork = 0
    passed_on: list[int] = [signal.SIGKILL]

    def pass_on(number: int, _: object) -> None:
        passed_on.append(number)
        send(number)

    def send(number: int) -> None:
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.kill(fork, number)

    def stop(*_: object) -> None:
        send(signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGSTOP)

    for number in PASSED_ON if fork else ():
        signal.signal(number, pass_on)
    if fork:  # Ctrl-Z, and continuing
        signal.signal(signal.SIGTSTP, stop)
        signal.signal(signal.SIGCONT, lambda *_: send(signal.SIGCONT))
        # Python runs a handler only between its own steps. A signal that comes just before this process begins to
        # wait would be passed on only at the end of the job, unless it also ends the waiting.
        for end in (woken, wakes):
            end.setblocking(False)
        signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
        waited_for = select.poll()  # unlike select, for descriptors of any number
        for file in (server, woken):
            waited_for.register(file, select.POLLIN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, BLOCKED)
    if not fork:
        os.execv(sys.executable, [sys.executable, *arguments])
    while server.fileno() not in dict(waited_for.poll()):
        woken.recv(64)
    status = _receive(server, 1)
    os._exit(status[0] if status else 128 + passed_on[-1])


def _receive(connection: socket.socket, n: int) -> bytes:
    """Return `n` bytes, or fewer if the other side has ended."""
    data = b""
    with contextlib.suppress(ConnectionError):
        while len(data) < n and (part := connection.recv(n - len(data))):
            data += part
    return data


def serve(folder: str, listener: socket.socket) -> None:
    """Fork a process for every job that asks, until standard input is closed; then remove the socket's folder."""
    with listener, selectors.DefaultSelector() as selector:
        try:
            _prepare()
            selector.register(listener, selectors.EVENT_READ)
            selector.register(sys.stdin, selectors.EVENT_READ)
            while sys.stdin not in {key.fileobj for key, _ in selector.select()}:
                connection, _ = listener.accept()
                with connection:
                    if os.fork() == 0:
                        listener.close()  # otherwise jobs would wait for a server that is gone
                        os._exit(_run(connection))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.killpg(0, signal.SIGCONT)  # forks that Ctrl-Z stopped then end if nobody waits for them


def _prepare() -> None:
    importlib.import_module("molap.stages")  # sets the number of threads and the cache of compiled programs
    for name in IMPORTED:
        importlib.import_module(name)
    for name in [name for name in sys.modules if name.partition(".")[0] == "molap"]:
        del sys.modules[name]
    if len(os.listdir("/proc/self/task")) > 1:
        raise RuntimeError("a process of several threads cannot be forked")
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # forks need not wait for their status to be read


def _run(connection: socket.socket) -> int:
    """Act, in a fork, as the process that asked: run its job, and report and return its exit status."""
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        module = _become(connection)
        connection.sendall(os.getpid().to_bytes(4, "big"))
        # A signal must interrupt what the job waits for, so it may not go to the thread.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)
        threading.Thread(target=_end_with, args=(connection,), daemon=True).start()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        status = end.code & 255 if isinstance(end.code, int) else int(end.code is not None)
        if end.code is not None and not isinstance(end.code, int):
            print(end.code, file=sys.stderr)
    except KeyboardInterrupt:  # the job could not report it itself
        status = 128 + signal.SIGINT
    except BaseException:
        traceback.print_exc()
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        status = status or 120  # as Python does
    with contextlib.suppress(OSError):
        connection.sendall(bytes([status]))
    return status


def _become(connection: socket.socket) -> str:
    """Take over folder, environment, standard streams and arguments of the process that asked; return its module."""
    head, files, _, _ = socket.recv_fds(connection, 4, 3)
    job = json.loads(_receive(connection, int.from_bytes(head, "big")))
    for target, file in enumerate(files):
        os.dup2(file, target)
        os.close(file)
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["environment"])
    os.umask(job["umask"])
    _, module, *arguments = job["arguments"]  # after -m
    sys.argv, sys.path[0] = [module, *arguments], job["folder"]
    return module


def _end_with(connection: socket.socket) -> None:
    """End this process at once when the process that asked is gone, because it was killed."""
    _receive(connection, 1)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2], socket.socket(fileno=int(sys.argv[3])))
    else:
        ask(sys.argv[2], sys.argv[3:])
