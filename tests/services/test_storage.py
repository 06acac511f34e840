"""The workflow without a shared file system: files in a bucket of a real S3 server, or of the provider `fs`."""

import os
import shutil
import socket
import subprocess
import sys
import time

import pytest
from workflow_helpers import OF_TIMES, Scratch

pytestmark = pytest.mark.services

boto3 = pytest.importorskip("boto3", reason="needs pip install -e '.[test]'")
pytest.importorskip("snakemake_storage_plugin_s3", reason="needs pip install -e '.[cloud]'")

TARGETS = (
    "results/tiny/evaluation/s0-1/separate/delay_pro.json",
    "results/tiny/networks/s0-1/molap-cca/module1.npz",
    "results/tiny/figures/fig_scaling.png",
)
"""Tables, figures and arrays, from programs with one input, with several, and with none."""
KEYS = {"SNAKEMAKE_STORAGE_S3_ACCESS_KEY": "reader", "SNAKEMAKE_STORAGE_S3_SECRET_KEY": "of-tests"}


@pytest.fixture(scope="module")
def bucket():
    """An empty bucket of an S3 server on this machine, and the server's address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while socket.socket().connect_ex(("127.0.0.1", port)):
            assert server.poll() is None and time.monotonic() < deadline, "the S3 server does not start"
            time.sleep(0.2)
        client = boto3.resource(
            "s3",
            endpoint_url=address,
            aws_access_key_id="reader",
            aws_secret_access_key="of-tests",
            region_name="us-east-1",
        )
        yield client.create_bucket(Bucket="molap"), address
    finally:
        server.terminate()
        server.wait()


def in_bucket(address: str) -> tuple[str, ...]:
    """Return the options by which all files lie in the bucket."""
    options = "--default-storage-provider s3 --default-storage-prefix s3://molap/of-me --shared-fs-usage none"
    return *options.split(), "--storage-s3-endpoint-url", address


def run(scratch: Scratch, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    result = scratch.run(*TARGETS, *arguments)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def differing(scratch: Scratch, finished: Scratch, files: dict[str, bytes]) -> list[str]:
    """Return the outputs that are not those of a run on one file system."""
    outputs = {name: content for name, content in files.items() if not name.endswith((*OF_TIMES, ".log"))}
    assert {*TARGETS} <= outputs.keys() and not (scratch.folder / TARGETS[0]).exists()
    return [name for name, content in outputs.items() if content != (finished.folder / name).read_bytes()]


def test_results_in_a_bucket_are_those_of_one_machine(finished, bucket, tmp_path, monkeypatch):
    objects, address = bucket
    scratch = Scratch(tmp_path / "scratch")
    run(scratch, monkeypatch, *in_bucket(address))
    files = {item.key.removeprefix("of-me/"): item.get()["Body"].read() for item in objects.objects.all()}
    assert differing(scratch, finished, files) == []
    assert "Nothing to be done" in run(scratch, monkeypatch, "--dry-run", *in_bucket(address))

    for name, content in files.items():  # as `aws s3 sync` would
        (tmp_path / "copy" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "copy" / name).write_bytes(content)
    sync = subprocess.run(
        [sys.executable, "-m", "molap", "sync"],
        cwd=tmp_path / "copy",
        env=os.environ | {"PYTHONPATH": str(scratch.folder)},
        capture_output=True,
        text=True,
    )
    n_records = sum(name.endswith(".record.json") for name in files)
    assert sync.returncode == 0 and str(n_records) in sync.stdout + sync.stderr, sync.stdout + sync.stderr


@pytest.mark.skipif(not shutil.which("rsync"), reason="the provider `fs` copies with rsync")
def test_results_of_the_provider_fs_are_those_of_one_machine(finished, tmp_path, monkeypatch):
    scratch, storage = Scratch(tmp_path / "scratch"), tmp_path / "storage"
    storage.mkdir()
    run(
        scratch,
        monkeypatch,
        "--default-storage-provider",
        "fs",
        "--default-storage-prefix",
        str(storage),
        "--shared-fs-usage",
        "none",
    )
    files = {str(file.relative_to(storage)): file.read_bytes() for file in storage.rglob("*") if file.is_file()}
    assert differing(scratch, finished, files) == []


def test_the_profile_for_a_cloud_is_valid(bucket, tmp_path, monkeypatch):
    _, address = bucket
    scratch = Scratch(tmp_path / "scratch")
    options = ("--default-storage-prefix", "s3://molap/profile", "--storage-s3-endpoint-url", address)
    text = run(scratch, monkeypatch, "--dry-run", "--workflow-profile", "workflow/profiles/cloud", *options)
    assert "s3://molap/profile/results/tiny/figures/fig_scaling.png" in text
