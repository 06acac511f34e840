"""Import records into the store: once, or repeatedly beside a running workflow."""

import json
import logging
import os
import resource
import shutil
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from molap.config.tracking import TrackingSettings
from molap.storage.found import ATTEMPT, Found, find_records, is_running
from molap.tracking.describe import TrackedRun, describe, describe_failure
from molap.tracking.launch import ENDINGS
from molap.tracking.scan import FOLDER, Known, digest, identity, importer_lock
from molap.tracking.where import Place, place, why_unreachable, why_unusable

if TYPE_CHECKING:
    from molap.tracking.store import Store

N_SERVER_THREADS = 8
"""Number of threads for a server, which answers several calls at a time; a database file takes one writer."""

HINTS = {
    "401": "the server wants a login: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
    "403": "the server refuses: its --allowed-hosts lacks this address, or the login has no permission",
}

LONGEST_PAUSE_S = 300

logger = logging.getLogger("molap.tracking")


class Outcome(NamedTuple):
    """The result of one look: the numbers of imported and remaining records, and the reason if any remain."""

    imported: int
    left: int
    problem: str | None = None


class Importer:
    """Imports the records of a results folder into a store. Hold `importer_lock` while using it."""

    def __init__(self, where: Place, results: Path) -> None:
        self.where, self._results = where, results
        self._known = Known(results)
        if where.database and not where.database.exists():
            self._known.belongs_to([where.uri])
        self.store: Store | None = None
        self.n_deleted = 0
        """Runs of this folder that someone deleted in MLflow, as the last look that asked the store found."""
        self._down: str | None = None

    def open(self) -> "Store":
        """Open the store; this loads MLflow, only when there is something to do."""
        if self.store is None:
            from molap.tracking.store import Store

            self.store = Store(self.where, identity(self._results))
            self._known.belongs_to([self.where.uri, *self.store.identity])
        return self.store

    @property
    def experiment_id(self) -> str | None:
        """Return MLflow's number of the experiment; None before the first import."""
        return self._known.store[1] if len(self._known.store) > 1 else None

    def forget(self) -> None:
        """Forget all known records."""
        self._known.forget()

    def look(self, check_store: bool = False) -> Outcome:
        """Import what is new.

        Args:
            check_store: open the store even if all records are known, and trust the store rather than the notes.
        """
        records = list(find_records(self._results))
        if not check_store and all(self._known.knows(found) or _is_alive(found) for found in records):
            return Outcome(0, 0)
        problem = self._down = why_unusable(self.where)
        if not problem:
            try:
                self.open()
                if check_store:
                    self._ask_the_store(records)
            except Exception as error:
                problem = _reason(error)
        new = [found for found in records if not self._known.knows(found) and not _is_alive(found)]
        if problem:
            return Outcome(0, len(new), problem)
        outcome = self._bring_in(new)
        if not outcome.problem:
            self.open().set_views({group for found in records if (group := _group(found.job))})
        return outcome

    def _ask_the_store(self, records: list[Found]) -> None:
        """Forget what the store lacks, and count what was deleted there, which stays deleted."""
        active, deleted = self.open().jobs()
        for found in records:
            there = active.get(found.job, set()) | deleted.get(found.job, set())
            if not there or (self._known.knows(found) and self._lacks_some(found, there)):
                self._known.drop(found)
        kept = {found.job for found in records if self._known.knows(found)}
        self.n_deleted = sum(len(deleted.get(job, set()) - active.get(job, set())) for job in kept)

    def _lacks_some(self, found: Found, there: set[str]) -> bool:
        """Check whether the store lacks a run of a job, which has one for every network seed, if it measured each."""
        try:
            record = json.loads(found.read())
        except (OSError, ValueError):
            return True  # its import says why
        return not {run.key for run in _runs(found, record, self._results)} <= there

    def _bring_in(self, new: list[Found]) -> Outcome:
        imported, problem = 0, None
        threads = 1 if self.where.database else N_SERVER_THREADS
        with ThreadPoolExecutor(threads) as pool:
            for found, failed in zip(new, pool.map(self._import_one, new), strict=True):
                if failed:
                    problem = problem or failed
                else:
                    imported += 1
                    self._known.add(found)
                    if imported % 100 == 0:
                        self._known.save()
        self._known.save()
        return Outcome(imported, len(new) - imported, problem)

    def _import_one(self, found: Found) -> str | None:
        """Import a record; return the reason if that fails."""
        if self._down:
            return self._down
        try:
            content = found.read()
        except FileNotFoundError:
            return None  # its job has just started again
        except OSError as error:
            return f"{found.file} cannot be read ({error.strerror})"
        try:
            record = json.loads(content)
        except ValueError as error:
            return f"{found.file} is damaged ({error}); remove it and run snakemake again"
        try:
            self.open().bring_in(found.job, digest(content), _runs(found, record, self._results))
        except Exception as error:
            self._down = why_unreachable(self.where)
            return self._down or f"{found.file}: {_reason(error)}"
        return None


def _runs(found: Found, record: dict, results: Path) -> list[TrackedRun]:
    if found.file.name.endswith(ATTEMPT):
        return describe_failure(found.job, record)
    return describe(found.job, record, results)


def _group(job: str) -> tuple[str, str, str] | None:
    """Return (run, task, kind) of an evaluation: `paper/without/mem_dm1/evaluation/s0/molap-cca/mem_pro`."""
    run, found, rest = job.partition("/evaluation/")
    _, *place = rest.split("/")
    return (run, place[1], place[0]) if found and len(place) == 2 else None


def _is_alive(found: Found) -> bool:
    return found.file.name.endswith(ATTEMPT) and is_running(found.file)


def _reason(error: Exception) -> str:
    logger.exception("import failed")
    text = " ".join(str(error).split())
    hint = next((f"{hint} (" for code, hint in HINTS.items() if f"error code {code}" in text), "")
    return f"{hint}{type(error).__name__}: {text[:300]}{')' * bool(hint)}"


def watch(settings: TrackingSettings, results: Path, parent: int, say: Callable[[str], None]) -> Importer:
    """Import until the workflow's process ends or sends SIGTERM; then look once more.

    An unreachable store does not delay the workflow: it is retried at growing intervals, and reported once.
    """
    stop = threading.Event()
    for name in ENDINGS:
        signal.signal(name, lambda *_: stop.set())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
    log_to_file(results)
    with importer_lock(results):
        importer = Importer(place(settings, results), results)
        warned, failures, next_look = False, 0, 0.0
        while True:
            last = stop.wait(settings.interval_s) or os.getppid() != parent
            if time.monotonic() < next_look and not last:
                continue
            outcome = importer.look()
            failures = failures + 1 if outcome.problem else 0
            pause = min(settings.interval_s * 2 ** min(failures, 10), LONGEST_PAUSE_S) if failures else 0
            next_look = time.monotonic() + pause
            if outcome.problem and not warned:
                say(f"tracking: {outcome.problem}. The workflow goes on; `molap sync` catches up")
                warned = True
            if last:
                usage = resource.getrusage(resource.RUSAGE_SELF)
                logger.info("importer ends after %.1f s of CPU time", usage.ru_utime + usage.ru_stime)
                return importer


def sync(settings: TrackingSettings, results: Path) -> tuple[Importer, Outcome]:
    """Import once, and check the store itself, rather than the notes, for what it contains."""
    log_to_file(results)
    with importer_lock(results):
        importer = Importer(place(settings, results), results)
        return importer, importer.look(check_store=True)


def rebuild(settings: TrackingSettings, results: Path) -> tuple[Importer, Outcome]:
    """Delete what the store holds of this folder and import every record again."""
    log_to_file(results)
    with importer_lock(results):
        where = place(settings, results)
        if where.database:
            for path in where.database.parent.glob(f"{where.database.name}*"):
                path.unlink()
            shutil.rmtree(where.database.parent / "artifacts", ignore_errors=True)
        importer = Importer(where, results)
        if not where.database:
            problem = why_unreachable(where)
            if problem:
                return importer, Outcome(0, 0, problem)
            importer.open().delete_all()
        importer.forget()
        return importer, importer.look(check_store=True)


def log_to_file(results: Path) -> None:
    """Send details of errors, and MLflow's own messages, to the importer's log."""
    (results / FOLDER).mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        filename=results / FOLDER / "importer.log", level=logging.INFO, format="%(asctime)s %(name)s: %(message)s"
    )
