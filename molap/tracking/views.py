"""Saved views of the experiment in MLflow's UI, stored in advance as tags of the experiment.

MLflow does not document their format (taken from version 3.17). If another version does not understand a view, the UI
shows its default, and nothing else depends on it.
"""

import base64
import json
import zlib

TAG = "mlflow.sharedViewState."
MADE = 1_700_000_000_000
"""A fixed date, so that an unchanged view is an unchanged tag."""

NAME, CREATED = "attributes.`Run Name`", "runDateAndNestInfo"
GROUPS = ("run", "task", "kind")
"""Tags that distinguish all but network seeds: runs that agree in these tags differ only in their network seed."""

Group = tuple[str, str, str]


def view_tags(groups: set[Group], former: dict[str, str]) -> dict[str, str]:
    """Return the experiment's tags that hold the views.

    Args:
        groups: (run, task, kind) of the evaluations; their groups are shown folded.
        former: the current tags of the experiment; the groups of other results folders stay folded.
    """
    folded = _unpack(former.get(f"{TAG}seeds", "")).get("groupsExpanded", {})
    folded |= {",".join(f"tag.{name}.{value}" for name, value in zip(GROUPS, g, strict=True)): False for g in groups}
    return {f"{TAG}{name}": _pack(title, state) for name, title, state in _views(folded)}


def _views(folded: dict[str, bool]) -> list[tuple[str, str, dict]]:
    test = ("test/accuracy", "test/decision_accuracy", "test/best_constant")
    by_seed = {"aggregateFunction": "average", "groupByKeys": [{"mode": "tag", "groupByData": tag} for tag in GROUPS]}
    seeds = _table((), (*test, "train/n_trained", "time/cpu_s"), name_width=560) | {
        "searchFilter": "tags.stage = 'evaluation' AND metrics.`test/accuracy` >= 0",
        "orderByKey": "tags.`label`",
        "orderByAsc": True,
        "groupBy": by_seed,
        "groupsExpanded": dict(sorted(folded.items())),
        "useGroupedValuesInCharts": True,
    }
    tags = ("stage", "run", "kind", "task", "network_seeds")
    stages = _table(tags, (*test[:1], "train/mse", "time/cpu_s", "time/peak_memory_mb"), name_width=330) | {
        "orderByKey": "attributes.start_time",
        "orderByAsc": False,
        "groupBy": None,
    }
    curves = _table((), ("train/mse", "train/loss", "time/cpu_s"), name_width=560) | {
        "searchFilter": "tags.task != '' AND metrics.`train/mse` >= 0",
        "orderByKey": "tags.`label`",
        "orderByAsc": True,
        "groupBy": by_seed,
        "groupsExpanded": dict(sorted(folded.items())),
        "useGroupedValuesInCharts": True,
        "isAccordionReordered": True,
    }
    hidden = ("train/final_mse", "train/n_trained", "train/n_updates", "train/n_weights")
    curves["compareRunCharts"], curves["compareRunSections"] = _charts("train", ("train/mse", "train/loss"), hidden)
    return [
        ("seeds", "accuracy, averaged over seeds", seeds),
        ("stages", "every stage", stages),
        ("curves", "training curves, averaged over seeds", curves),
    ]


def _table(tags: tuple[str, ...], metrics: tuple[str, ...], name_width: int) -> dict:
    columns = [f"tags.`{name}`" for name in tags] + [f"metrics.`{name}`" for name in metrics]
    widths = {NAME: name_width, CREATED: 100, "duration": 80} | {column: 115 for column in columns}
    return {
        "selectedColumns": columns,
        "columnOrder": [NAME, CREATED, *columns, "duration"],
        "columnWidths": widths,
        "runsHiddenMode": "SHOW_ALL",
    }


def _charts(section: str, metrics: tuple[str, ...], hidden: tuple[str, ...]) -> tuple[list[dict], list[dict]]:
    """Return line charts on a logarithmic scale. The UI adds one for every metric that has none and is not hidden."""
    sections = [{"uuid": section, "name": section, "display": True, "isReordered": False, "deleted": False}]
    sections[0] |= {"isGenerated": True, "columns": 2, "cardHeight": 420}
    cards = [_line(section, metric) for metric in metrics]
    cards += [_line(section, metric) | {"type": "BAR", "deleted": True} for metric in hidden]
    return cards, sections


def _line(section: str, metric: str) -> dict:
    return {
        "uuid": metric,
        "type": "LINE",
        "metricSectionId": section,
        "metricKey": metric,
        "selectedMetricKeys": [metric],
        "runsCountToCompare": 10,
        "lineSmoothness": 0,
        "scaleType": "log",
        "xAxisScaleType": "linear",
        "xAxisKey": "step",
        "selectedXAxisMetricKey": "",
        "yAxisKey": "metric",
        "yAxisExpressions": [],
        "ignoreOutliers": False,
        "useGlobalXaxisKey": True,
        "useGlobalLineSmoothing": True,
        "range": {},
        "deleted": False,
        "isGenerated": True,
    }


def _pack(title: str, state: dict) -> str:
    packed = base64.b64encode(zlib.compress(json.dumps(state, separators=(",", ":")).encode(), 9)).decode()
    return json.dumps({"name": title, "createdAt": MADE, "updatedAt": MADE, "state": f"deflate;{packed}"})


def _unpack(tag: str) -> dict:
    try:
        packed = json.loads(tag)["state"].removeprefix("deflate;")
        return json.loads(zlib.decompress(base64.b64decode(packed)))
    except (ValueError, KeyError, TypeError, zlib.error):
        return {}
