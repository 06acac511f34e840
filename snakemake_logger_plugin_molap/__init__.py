"""Snakemake's logger plugin `molap`: bars by stage and the time that remains, or a few lines in a file.

    snakemake --logger molap ...

In a terminal the stages that have begun are shown as bars; elsewhere a line is written at every twentieth of the work.
Errors and warnings are shown as ever. Dry runs and runs with `--verbose` look as without the plugin.
"""

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

from snakemake.logging import ColorizingTextHandler, DefaultFilter, get_event
from snakemake.settings.enums import Quietness
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_molap import progress
from snakemake_logger_plugin_molap.progress import Progress, in_words

if TYPE_CHECKING:
    from snakemake_logger_plugin_molap.bars import Bars

NOISE = ("Select jobs to execute...", "Assuming unrestricted shared filesystem usage.", "Conda environments: ignored")
SPOKEN = (None, LogEvent.ERROR, LogEvent.JOB_ERROR, LogEvent.GROUP_ERROR, LogEvent.SHELLCMD, LogEvent.DEBUG_DAG)
"""Events whose text is shown while jobs run."""
COUNTED = (LogEvent.JOB_INFO, LogEvent.JOB_ERROR)
"""Events that are counted even if `--quiet rules` hides them."""
TWENTIETHS = 20


class _Told(logging.LogRecord):
    """Name the attributes that Snakemake adds to a log record; each event has some of them."""

    stats: dict[str, int]
    jobid: int
    job_id: int
    rule_name: str
    log: list[str]


class LogHandler(LogHandlerBase):
    """Shows the progress of a run."""

    # It stands in for Snakemake's own output, and leaves to Snakemake the complete log and the format.
    writes_to_stream = has_filter = True
    writes_to_file = has_formatter = needs_rulegraph = False

    def __post_init__(self) -> None:
        common = self.common_settings
        self._stream = _Current("stdout" if common.stdout else "stderr")
        self._text = ColorizingTextHandler(nocolor=common.nocolor, stream=self._stream)
        self._text.format = self.format
        self._plain = common.dryrun or common.verbose or common.debug_dag
        self.addFilter(
            (DefaultFilter if self._plain else _CountingFilter)(
                common.quiet, common.debug_dag, common.verbose, common.dryrun, common.printshellcmds
            )
        )
        self._cores = 1
        self._progress: Progress | None = None
        self._bars: Bars | None = None
        self._told = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Note what happened, and show what is worth it."""
        event = get_event(record)
        if self._plain:
            self._text.emit(record)
        elif event == LogEvent.RUN_INFO:
            told = cast(_Told, record)  # Snakemake sets attributes of plain records
            self._begin({name: n for name, n in told.stats.items() if name != "total"})
        elif event == LogEvent.RESOURCES_INFO:
            self._cores = getattr(record, "cores", None) or self._cores
        elif self._progress is None:
            if record.getMessage() not in NOISE:
                self._text.emit(record)
        else:
            self._follow(self._progress, event, cast(_Told, record))

    def _begin(self, planned: dict[str, int]) -> None:
        self._progress = Progress(planned, progress.expected, self._cores)
        self._say(
            "; ".join(filter(None, [f"{sum(planned.values())} jobs of {len(planned)} stages", self._progress.to_go()]))
        )
        if self._stream.isatty():
            from snakemake_logger_plugin_molap.bars import Bars  # rich is loaded where it is of use

            self._bars = Bars(self._progress, self.common_settings.stdout)

    def _follow(self, jobs: Progress, event: LogEvent | None, record: _Told) -> None:
        if event == LogEvent.JOB_INFO:
            jobs.started(record.jobid, record.rule_name)
        elif event == LogEvent.JOB_FINISHED:
            jobs.finished(record.job_id)
            self._tell(jobs)
        elif event in SPOKEN and record.getMessage() not in NOISE:
            if event == LogEvent.JOB_ERROR:
                jobs.failed(record.jobid)
            if event in COUNTED and Quietness.RULES in (self.common_settings.quiet or ()):
                return
            self._text.emit(record)
            if event == LogEvent.JOB_ERROR:
                self._quote(record.log)

    def _tell(self, jobs: Progress) -> None:
        """In a file, a line at every twentieth of the work."""
        share = int(TWENTIETHS * jobs.share())
        if self._bars is None and share > self._told:
            self._told = share
            done, total = jobs.done.total(), jobs.planned.total()
            if done < total:
                part = f"{100 * share // TWENTIETHS} % of the work, {done} of {total} jobs"
                self._say(f"{part}; {jobs.to_go()}")

    def _quote(self, logs: list[str]) -> None:
        """Return the last line of a failed job's log; the bars hide what the job wrote to the terminal."""
        for log in logs if self._bars else ():
            lines = Path(log).read_text(encoding="utf-8", errors="replace").split("\n") if Path(log).is_file() else []
            self._say(next((line for line in reversed(lines) if line.strip()), ""))

    def _say(self, line: str) -> None:
        self._stream.write(f"{line}\n")
        self._stream.flush()

    def close(self) -> None:
        """Take the bars away, and say how it ended."""
        if self._bars:
            self._bars.stop()
        if self._progress:
            done, total = self._progress.done.total(), self._progress.planned.total()
            self._say(f"{done} of {total} jobs done in {in_words(self._progress.elapsed)}")
            self._progress = None
        super().close()


class _CountingFilter(DefaultFilter):
    """Let through what `--quiet rules` hides of jobs that start and fail: they are counted, and not shown."""

    def filter(self, record: logging.LogRecord) -> bool:
        counted = get_event(record) in COUNTED and not {Quietness.ALL, Quietness.PROGRESS} & {*self.quiet}
        return counted or super().filter(record)


class _Current:
    """Standard output or error as it is now: rich puts its own in its place while bars are shown."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._held = ""

    def write(self, text: str) -> None:
        """Whole lines only: what jobs write at the same time must not come before the end of one."""
        self._held += text
        if text.endswith("\n"):
            getattr(sys, self._name).write(self._held)
            self._held = ""

    def __getattr__(self, attribute: str):
        return getattr(getattr(sys, self._name), attribute)
