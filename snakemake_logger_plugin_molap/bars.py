"""Bars of the stages that have begun, with the time that remains, at the foot of a terminal."""

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from snakemake_logger_plugin_molap.progress import Progress


class Bars:
    """Shows a progress, redrawn twice a second until it is stopped."""

    def __init__(self, progress: Progress, stdout: bool) -> None:
        self._progress = progress
        self._console = Console(stderr=not stdout)
        self._live = Live(console=self._console, get_renderable=self.draw, refresh_per_second=2, transient=True)
        self._live.start()

    def draw(self) -> Table:
        """Yield a row for each stage that has begun and is not done, as far as the terminal has room; one for all."""
        with self._progress.lock:
            stages, share, to_go = self._progress.stages(), self._progress.share(), self._progress.to_go()
        begun = [stage for stage in stages if stage.done < stage.total and (stage.done or stage.running)]
        begun.sort(key=lambda stage: not stage.running)
        table = Table.grid(padding=(0, 2))
        for _ in range(4):
            table.add_column(no_wrap=True)
        for stage in begun[: max(self._console.height - 4, 1)]:
            bar = ProgressBar(stage.total, stage.done, width=24)
            running = f"{stage.running} running" if stage.running else ""
            table.add_row(stage.name, bar, f"{stage.done}/{stage.total}", running)
        done, total = sum(stage.done for stage in stages), sum(stage.total for stage in stages)
        whole = ProgressBar(1.0, share, width=24)
        finished = sum(stage.done == stage.total for stage in stages)
        table.add_row(f"{finished} of {len(stages)} stages", whole, f"{done}/{total}", to_go, style="bold")
        return table

    def stop(self) -> None:
        """Take them away."""
        self._live.stop()
