"""The settings by which a figure describes the outputs of the task that it shows in detail."""

from molap.config.base import Section
from molap.figures.style import NINE_TASKS, Shown


class ShownSettings(Section):
    """Settings of a task of the user's; nothing for the nine."""

    outputs: tuple[str, ...] = ()
    dt: float = NINE_TASKS.dt


def shown(settings: ShownSettings) -> Shown:
    """Return what a figure says about the outputs of its task."""
    return Shown.of(settings.outputs, settings.dt) if settings.outputs else NINE_TASKS
