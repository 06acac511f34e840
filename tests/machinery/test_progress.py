"""Progress of a run: the estimate, bars in a terminal, few lines in a file."""

import csv
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest
import stage_times
import yaml
from workflow_helpers import REPOSITORY

from molap.config.run import RunConfig, parse_config
from molap.planning.expected import expected_seconds
from snakemake_logger_plugin_molap.progress import Expected, Progress, in_words

SNAKEFILE = """
from snakemake_logger_plugin_molap.progress import expect

expect({"head": 1, "evaluation": 1}, {})

rule all:
    input:
        expand("{x}.scored", x=range(6)), "bad"

rule head:
    output: "{x}.trained"
    shell: "sleep 1; touch {output}"

rule evaluation:
    input: "{x}.trained"
    output: "{x}.scored"
    shell: "sleep 0.3; touch {output}"

rule bad:
    output: "bad"
    log: "bad.log"
    shell: "echo 'ValueError: NaN at step 3' > {log}; false"
"""

TIME = r"(less than a minute|about \d+ min)"
"""As long as it takes on a machine that does other work as well."""
PIPES = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}


class Clock:
    """Time that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_before_anything_is_done_what_is_expected_and_the_cores_tell(clock):
    progress = Progress({"head": 4, "table": 2}, Expected({"head": 100.0, "table": 1.0}), cores=2, clock=clock)
    assert progress.remaining() == pytest.approx((4 * 100 + 2 * 1) / 2)
    assert progress.to_go() == "about 3 min to go (by the preset's times)"
    assert progress.share() == 0


def test_finished_jobs_replace_what_is_expected_of_their_stage_and_set_the_pace_for_the_others(clock):
    progress = Progress({"head": 4, "module": 1}, Expected({"head": 100.0, "module": 100.0}), cores=1, clock=clock)
    for job in range(3):
        progress.started(job, "head")
        clock.now += 200
        progress.finished(job)
    pace = (600 + 60) / (300 + 60)
    assert progress.remaining() == pytest.approx(200 + 100 * pace)
    assert progress.to_go() == "about 6 min to go"
    assert progress.share() == pytest.approx(600 / (600 + 200 + 100 * pace))


def test_what_remains_is_divided_by_the_jobs_that_ran_at_a_time(clock):
    progress = Progress({"head": 30}, cores=1, clock=clock)
    assert progress.to_go() == ""
    for start in range(0, 20, 10):
        for job in range(start, start + 10):
            progress.started(job, "head")
        clock.now += 600
        for job in range(start, start + 10):
            progress.finished(job)
    at_a_time = (20 * 600 + 60) / (1200 + 60)
    assert progress.remaining() == pytest.approx(10 * 600 / at_a_time)
    for job in range(20, 30):
        progress.started(job, "head")
    clock.now += 300
    assert progress.remaining() < 10 * 600 / at_a_time, "what a running job has run is not to be done again"


def test_a_failed_job_is_still_to_be_done(clock):
    progress = Progress({"head": 2}, Expected({"head": 10.0}), clock=clock)
    progress.started(0, "head")
    clock.now += 10
    progress.failed(0)
    assert progress.done.total() == 0 and progress.stages()[0].running == 0
    assert progress.remaining() == pytest.approx(2 * 10)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(10.0, "less than a minute"), (40.0, "about 1 min"), (3599.0, "about 1 h 0 min"), (7800.0, "about 2 h 10 min")],
)
def test_times_in_words(seconds, words):
    assert in_words(seconds) == words


def test_jobs_that_wait_for_one_another_take_no_less_than_their_sum(clock):
    expected = Expected({"sequence": 100.0, "head": 10.0}, {"sequence": (9, 1)})
    progress = Progress({"sequence": 18, "head": 10}, expected, cores=8, clock=clock)
    assert progress.remaining() == pytest.approx(900), "two sequences of nine tasks, side by side"
    alone = Progress({"head": 10}, expected, cores=8, clock=clock)
    assert alone.remaining() == pytest.approx(100 / 8)
    last_tasks = Progress({"sequence": 10}, expected._replace(in_turn={"sequence": (9, 10)}), cores=10, clock=clock)
    assert last_tasks.remaining() == pytest.approx(100), "the last task of ten sequences"


MEASURED = {stage: {"overhead_s": "3", "computing_s": "20"} for stage in ("head", "sequence", "perturbation", "fig2")}


@pytest.mark.parametrize(
    ("change", "factors"),
    [
        ({}, {}),
        ({"heads": {"n_steps": 500}}, {"head": 0.5}),
        ({"heads": {"batch_size": 400}, "dni": {"n_steps": 500}}, {"head": 2, "sequence": 0.5}),
        ({"network": {"n_units": 200}, "perturbations": {"kinds": ["molap-cca"]}}, {"head": 3, "perturbation": 15 / 7}),
        ({"seeds": {"networks": 4, "per_job": 2}}, {"head": 2, "sequence": 2, "perturbation": 2}),
        ({"perturbations": {"draws": 10}}, {"perturbation": 1 / 3}),
        ({"perturbations": {"kinds": [], "tasks": []}}, {"perturbation": 0}),
    ],
)
def test_jobs_are_expected_to_take_what_the_preset_s_took_scaled_by_what_they_compute(change, factors):
    found = expected_seconds(parse_config(change), MEASURED)
    for stage in MEASURED:
        assert found[stage] == pytest.approx(3 + 20 * factors.get(stage, 1)), stage


def test_every_training_stage_has_its_time_in_the_table_and_a_short_run_is_expected_to_be_short():
    with open(REPOSITORY / "workflow/resources.csv") as file:
        measured = {row["stage"]: row for row in csv.DictReader(file)}
    preset = expected_seconds(RunConfig(), measured)
    tour = expected_seconds(parse_config(yaml.safe_load((REPOSITORY / "config/quick.yaml").read_text())), measured)
    for stage in ("head", "module", "separate", "sequence", "perturbation"):
        assert 1 < tour[stage] < preset[stage] / 2, stage
    assert tour["fig2"] == preset["fig2"]


def test_a_finished_run_renews_its_rows_of_the_table_scaled_to_the_preset(tmp_path):
    times = [{"startup_s": 1.0, "compilation_s": 2.0, "cpu_s": cpu, "peak_memory_mb": 99.5} for cpu in (7.0, 9.0)]
    records = [{"stage": stage, "time": time, "inputs": {}} for time in times for stage in ("perturbation", "fig2")]
    table = tmp_path / "resources.csv"
    table.write_text("stage,memory_mb,cpu_s,overhead_s,computing_s\nfig2,1,1,1,1\njoint,5,6,7,8\n")
    stage_times.renew(table, stage_times.stage_resources(records, parse_config({"perturbations": {"draws": 10}})))
    assert table.read_text().splitlines() == [
        "stage,memory_mb,cpu_s,overhead_s,computing_s",
        "fig2,100,9,3.0,5.0",
        "joint,5,6,7,8",
        "perturbation,100,9,3.0,15.0",
    ]


def test_the_arithmetic_of_recurrences_is_that_of_their_products_step_by_step():
    def trained(stage, n, n_trained, steps, batch):
        metrics = {"n_weights_of": {"w_rec": n * n}, "n_trained": n_trained}
        return {"stage": stage, "metrics": metrics, "settings": {"phase": {"n_steps": steps, "batch_size": batch}}}

    records = [trained("head", 4, 20, 2, 3), trained("module", 4, 6, 1, 5), trained("separate", 3, 15, 2, 1)]
    for record in records:
        record |= {"inputs": {}, "settings": record["settings"] | {"seeds": [0, 1]}}
    swept = {"kind": "separate", "n_trials": 7}
    records.append({"stage": "perturbation", "metrics": {"n_evaluations": 3}, "settings": swept, "inputs": {}})
    records.append(records[2] | {"stage": "sequence", "inputs": {"same": "results/…"}})
    c = parse_config({"separate_network": {"n_units": 5}})
    weights_seen = 2 * 2 * 3 * (16 + 16) + 2 * 1 * 5 * (16 + 16 + 6) + 2 * 2 * 1 * (9 + 9 + 9) + 3 * 7 * 25
    assert stage_times.recurrences(records, c) == 2 * 110 * weights_seen


def command(*arguments):
    return [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]


@pytest.fixture
def workflow(tmp_path):
    """A workflow of short jobs, one of which fails; called with arguments and streams, it is started."""
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "TERM": "xterm-256color"}

    def start(*arguments, **streams):
        return subprocess.Popen(command(*arguments), cwd=tmp_path, env=environment, text=True, **streams)

    return start


def ended(process):
    """Exit status, standard output and error."""
    output, error = process.communicate(timeout=300)
    return process.returncode, output, error


def test_in_a_file_progress_is_a_line_now_and_then_and_errors_are_whole(workflow):
    status, _, error = ended(workflow("--logger", "molap", "--keep-going", **PIPES))
    lines = error.splitlines()
    assert status == 1 and "\x1b" not in error
    assert any(line.startswith("14 jobs of 4 stages; ") for line in lines)
    steps = [re.match(r"(\d+) % of the work, (\d+) of 14 jobs; .* to go", line) for line in lines]
    shares = [int(step[1]) for step in steps if step]
    assert 2 <= len(shares) <= 12 and shares == sorted(set(shares))
    assert "Error in rule bad:" in lines and "    log: bad.log (check log file(s) for error details)" in lines
    assert re.fullmatch(f"12 of 14 jobs done in {TIME}", lines[-1])
    assert not any("Finished jobid" in line or "Select jobs" in line or "rule head" in line for line in lines)


def test_in_a_terminal_stages_are_bars_with_the_time_that_remains(workflow):
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    process = workflow("--logger", "molap", "--keep-going", stdout=slave, stderr=slave, stdin=slave)
    os.close(slave)
    text = b""
    try:
        while part := os.read(master, 65536):
            text += part
    except OSError:  # the end, on Linux
        os.close(master)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text.decode())
    assert process.wait(timeout=60) == 1
    assert re.search(r"head +[━╸╺]+ +\d/6 +\d running", plain) and re.search(r"evaluation +[━╸╺]+ +\d/6", plain)
    assert re.search(rf"\d of 4 stages +[━╸╺]+ +\d+/14 +{TIME} to go", plain)
    assert "Error in rule bad:" in plain and "ValueError: NaN at step 3" in plain.replace("\r", "\n").split("\n")
    assert re.search(f"12 of 14 jobs done in {TIME}$", plain.rstrip())
    assert text.decode().rindex("\x1b[?25h") > text.decode().rindex("\x1b[?25l"), "the cursor is shown again"


@pytest.mark.exhaustive
def test_jobs_are_counted_where_rules_are_quiet(workflow):
    _, _, error = ended(workflow("--logger", "molap", "--keep-going", "--quiet", "rules", **PIPES))
    assert re.fullmatch(f"12 of 14 jobs done in {TIME}", error.splitlines()[-1])
    assert "rule head" not in error and "Error in rule" not in error
    _, output, error = ended(workflow("--logger", "molap", "--keep-going", "--quiet", "rules", "progress", **PIPES))
    assert "rule head" not in output + error and "jobs done" not in output + error


@pytest.mark.exhaustive
def test_a_dry_run_looks_as_without_it(workflow):
    texts = []
    for logger in (("--logger", "molap"), ()):
        status, output, error = ended(workflow("--dry-run", *logger, **PIPES))
        assert status == 0 and "rule head:" in output + error
        texts.append(output + error)
    own = re.compile(r"\[.*\d{4}\]|(Date|Workflow ID|Command): .*")
    # Snakemake lists files in any order.
    words, others = (sorted(re.split(r"[,\s]+", own.sub("", text))) for text in texts)
    assert words == others
