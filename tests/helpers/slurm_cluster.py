"""A real Slurm on this one machine: a controller and four nodes of one processor each, on loopback only.

    python tests/helpers/slurm_cluster.py    # start it, and stop it at the end of the input (Ctrl-D)

Debian or Ubuntu, as root. Nodes are not fenced in by cgroups: Slurm looks at the memory of a job's processes every
two seconds and kills a job that takes more than it asked for.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ["slurmctld", "slurmd", "slurm-client", "munge"]
SETTINGS = Path("/etc/slurm/slurm.conf")  # Slurm's steps look nowhere else
NODES, NODE_MB = 4, 4000
PARTITIONS = {"cpu": "node[1-2]", "other": "node[3-4]", "gpu": "node[3-4]"}
"""Two nodes for a whole run, two for other tests meanwhile. GPUs are counted by Slurm, but there are none."""

CONTENT = f"""\
ClusterName=molap
SlurmctldHost=localhost(127.0.0.1)
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=2
JobAcctGatherParams=OverMemoryKill,UsePss
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
EnforcePartLimits=ALL
ReturnToService=2
KillWait=5
MinJobAge=3600
GresTypes=gpu
AccountingStorageType=accounting_storage/none
StateSaveLocation={{folder}}/state
SlurmdSpoolDir={{folder}}/%n
SlurmctldPidFile={{folder}}/slurmctld.pid
SlurmdPidFile={{folder}}/%n.pid
NodeName=node[1-{NODES}] NodeHostname=localhost NodeAddr=127.0.0.1 Port=[17001-{17000 + NODES}] CPUs=1 \
RealMemory={NODE_MB} Gres=gpu:1
""" + "".join(f"PartitionName={name} Nodes={nodes} MaxTime=240\n" for name, nodes in PARTITIONS.items())


def why_not() -> str:
    """Why there can be no such cluster here; empty if there can."""
    if find_spec("snakemake_executor_plugin_slurm") is None:
        return "Snakemake's Slurm plugin is missing: pip install -e '.[cluster]' -c envs/pins.txt"
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return "starting a Slurm needs root, and apt-get (Debian, Ubuntu)"
    if SETTINGS.exists() and not left_behind():
        return f"a Slurm is configured on this machine ({SETTINGS}), and is left alone"
    return ""


def left_behind() -> bool:
    """Tell whether the settings are those of such a cluster, whose daemons ended without removing them."""
    return "ClusterName=molap\n" in SETTINGS.read_text() and "UP" not in ask("scontrol", "ping")


class Cluster:
    """Its daemons, which end with the process that started them."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="molap-slurm"))
        self._daemons: list[subprocess.Popen] = []
        install()
        for name in ("state", *(f"node{i + 1}" for i in range(NODES))):
            (self.folder / name).mkdir()
        SETTINGS.write_text(CONTENT.format(folder=self.folder))
        SETTINGS.with_name("gres.conf").write_text("Name=gpu File=/dev/null\n")
        try:
            if not authenticated():
                munge = Path("/run/munge")
                munge.mkdir(exist_ok=True)
                shutil.chown(munge, "munge", "munge")
                self._run("runuser", "-u", "munge", "--", "munged", "--foreground", "--force")
            wait_for(authenticated)
            self._run("slurmctld", "-D")
            wait_for(lambda: ask("scontrol", "ping"))
            for i in range(NODES):
                self._run("slurmd", "-D", "-N", f"node{i + 1}")
            wait_for(lambda: len(set(ask("sinfo", "-h", "-N", "-t", "idle", "-o", "%N").split())) == NODES)
        except BaseException:
            self.stop()
            raise

    def _run(self, *command: str) -> None:
        with open(self.folder / f"{len(self._daemons)}.log", "w") as log:
            self._daemons.append(
                subprocess.Popen(
                    ["setpriv", "--pdeathsig", "TERM", *command], stdout=log, stderr=log, start_new_session=True
                )
            )

    def stop(self) -> None:
        """Cancel all jobs, end the daemons, and leave nothing behind but the packages."""
        ask("scancel", "--user", "root")
        wait_for(lambda: not ask("squeue", "-h"), or_else=None)
        for daemon in reversed(self._daemons):
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        SETTINGS.unlink()
        SETTINGS.with_name("gres.conf").unlink()
        shutil.rmtree(self.folder)


def install() -> None:
    """Install what is missing of Slurm (13 MB)."""
    if all(shutil.which(name) for name in ("slurmctld", "slurmd", "squeue", "munged")):
        return
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-q"], ["install", "-qy", "--no-install-recommends", *PACKAGES]):
        subprocess.run(["apt-get", *command], env=environment, check=True, stdout=subprocess.DEVNULL)


def authenticated() -> bool:
    """Whether Slurm's authentication service answers."""
    return "Success" in ask("sh", "-c", "munge -n | unmunge")


def ask(*command: str) -> str:
    """What a command prints; nothing if it fails."""
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return result.stdout.strip() if result.returncode == 0 else ""


def wait_for(what: Callable[[], object], seconds: float = 120, or_else: type | None = TimeoutError) -> None:
    """Wait until it holds.

    Raises:
        TimeoutError: if it does not in time, unless `or_else` is none.
    """
    deadline = time.time() + seconds
    while not what():
        if time.time() > deadline:
            if or_else:
                raise or_else(f"not within {seconds} s; jobs:\n{ask('squeue')}")
            return
        time.sleep(0.2)


if __name__ == "__main__":
    if reason := why_not():
        sys.exit(reason)
    cluster = Cluster()
    print(ask("sinfo"), flush=True)
    sys.stdin.read()
    cluster.stop()
