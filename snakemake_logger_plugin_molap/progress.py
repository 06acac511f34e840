"""Follow the progress of a workflow: jobs by stage, and an estimate of the time that remains."""

import math
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import NamedTuple

TRUST_S = 60
"""Seconds after which what this run shows of pace and of jobs at a time counts as much as what was known before."""


class Expected(NamedTuple):
    """Holds what is known of a workflow's jobs before they run."""

    seconds: Mapping[str, float] = {}
    """By stage, the seconds of a mean job."""
    in_turn: Mapping[str, tuple[int, int]] = {}
    """By stage, how many jobs wait for one another at most, and how many such rows there are at least; the jobs of a
    stage that is not named run side by side."""


NOTHING = Expected()
"""Stands for a workflow that expects nothing of its jobs."""
expected = NOTHING


def expect(seconds: Mapping[str, float], in_turn: Mapping[str, tuple[int, int]]) -> None:
    """Note what a workflow expects of its jobs, for the display of its progress, which runs in the same process."""
    global expected
    expected = Expected(seconds, in_turn)


class Stage(NamedTuple):
    """The jobs of a stage."""

    name: str
    done: int
    running: int
    total: int


class Progress:
    """Jobs that are planned, running and done, and the time that remains.

    Every job is expected to take the mean time of its stage's finished jobs; before the first of them, the time that
    the workflow expects, at the pace of this run. What remains is divided by the mean number of jobs that ran at a
    time, at first by the number of cores; jobs that wait for one another take no less than one after the other. Other
    waiting is not looked at, and so it is an estimate.
    """

    def __init__(
        self,
        planned: Mapping[str, int],
        expected: Expected = NOTHING,
        cores: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock, self._start, self._cores = clock, clock(), cores
        self._seconds, self._in_turn, self.planned = expected.seconds, expected.in_turn, Counter(planned)
        self._running: dict[int, tuple[str, float]] = {}
        self.done: Counter[str] = Counter()
        self._spent: dict[str, float] = defaultdict(float)
        self.lock = threading.Lock()
        """Held while jobs are noted; never while anything is written, which has locks of its own."""

    def started(self, job: int, stage: str) -> None:
        """Note that a job has been started."""
        with self.lock:
            self._running[job] = stage, self._clock()

    def finished(self, job: int) -> None:
        """Note that a job has ended well."""
        with self.lock:
            if job in self._running:
                stage, start = self._running.pop(job)
                self.done[stage] += 1
                self._spent[stage] += self._clock() - start

    def failed(self, job: int) -> None:
        """Note that a job has ended otherwise; it may be started again."""
        with self.lock:
            self._running.pop(job, None)

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._start

    def stages(self) -> list[Stage]:
        """All stages in the order of the plan."""
        running = Counter(stage for stage, _ in self._running.values())
        return [Stage(name, self.done[name], running[name], n) for name, n in self.planned.items()]

    def share(self) -> float:
        """Share of the work that is done, 0 to 1."""
        left, spent = self._left(), sum(self._spent.values()) + sum(self._ages())
        return spent / (spent + left) if spent else 0.0

    def to_go(self) -> str:
        """Return the time that remains, in words; nothing where nothing is known yet.

        `by the preset's times`: most of it is of stages whose first job has not ended.
        """
        if not self._seconds and not self.done:
            return ""
        begun = sum(self._left_of(stage) for stage in self.planned if self.done[stage])
        source = " (by the preset's times)" if begun < self._left() / 2 else ""
        return f"{in_words(self.remaining())} to go{source}"

    def remaining(self) -> float:
        """Seconds that remain."""
        spent = sum(self._spent.values()) + sum(self._ages())
        at_a_time = (spent + TRUST_S * self._cores) / (self.elapsed + TRUST_S)
        waiting = [
            self._left_of(stage) / max(math.ceil(self.planned[stage] / length), rows)
            for stage, (length, rows) in self._in_turn.items()
        ]
        return max(self._left() / max(at_a_time, 1), *waiting, 0)

    def _ages(self) -> list[float]:
        return [self._clock() - start for _, start in self._running.values()]

    def _left(self) -> float:
        """Seconds of work that is left."""
        return sum(self._left_of(stage) for stage in self.planned)

    def _left_of(self, stage: str) -> float:
        each = self._expected(stage)
        ran = sum(min(self._clock() - start, each) for name, start in self._running.values() if name == stage)
        return max((self.planned[stage] - self.done[stage]) * each - ran, 0)

    def _expected(self, stage: str) -> float:
        if self.done[stage]:
            return self._spent[stage] / self.done[stage]
        known = [name for name in self.done if name in self._seconds]
        measured = sum(self._spent[name] for name in known)
        in_table = sum(self.done[name] * self._seconds[name] for name in known)
        typical = sorted(self._seconds.values())[len(self._seconds) // 2] if self._seconds else 1
        return self._seconds.get(stage, typical) * (measured + TRUST_S) / (in_table + TRUST_S)


def in_words(seconds: float) -> str:
    """Return a length of time for people: `about 2 h 10 min`."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    return f"about {minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"about {minutes} min"
