#!/usr/bin/env bash
# Prepare a machine with an NVIDIA GPU and run benchmarks/gpu.py there, from the repository's folder.
#
#   benchmarks/gpu.sh                   install into .venv-gpu from the package index, then run
#   benchmarks/gpu.sh wheels FOLDER     on a machine with an index: fetch what a machine without one lacks
#   benchmarks/gpu.sh offline FOLDER    on that machine, where Python already has JAX for its GPU: add these, then run
#
# PYTHON_VERSION (default 3.12) is that of the machine without an index. Further arguments go to benchmarks/gpu.py.
set -euo pipefail
cd "$(dirname "$0")/.."
case "${1:-}" in
wheels)
    python3 -m pip download --no-deps --only-binary=:all: --python-version "${PYTHON_VERSION:-3.12}" \
        --implementation cp --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 \
        --platform manylinux2014_x86_64 -c envs/pins-gpu.txt -d "${2:?which folder?}" \
        pydantic pydantic_core annotated-types typing-inspection
    ;;
offline)
    folder=${2:?which folder?}
    shift 2
    packages=$(mktemp -d)
    python3 -m pip install -q --no-index --no-deps --target "$packages" "$folder"/*.whl
    PYTHONPATH=$packages:$PWD python3 benchmarks/gpu.py "$@"
    rm -rf "$packages"
    ;;
*)
    python3 -m venv .venv-gpu
    .venv-gpu/bin/pip install -q -e . 'jax[cuda12]' -c envs/pins-gpu.txt
    .venv-gpu/bin/python benchmarks/gpu.py "$@"
    ;;
esac
