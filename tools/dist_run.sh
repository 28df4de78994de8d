#!/usr/bin/env bash
# Start a tool in several processes: dist_run.sh TOOL PROCESSES [ARGUMENTS]
# One process per GPU, or per part of a CPU. On several machines, on each of them:
#   NNODES=2 NODE_RANK=0 MASTER_ADDR=first-machine PORT=29500 tools/dist_train.sh CONFIG GPUS
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tool=$1 processes=$2
python=${PYTHON:-$tools/../.venv/bin/python}
[ -x "$(command -v "$python")" ] || python=python
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} MKL_NUM_THREADS=${MKL_NUM_THREADS:-1}
if [ "${NNODES:-1}" = 1 ] && [ -z "${PORT:-}" ]; then
    meet=(--standalone) # finds a free port
else
    meet=(--nnodes="${NNODES:-1}" --node-rank="${NODE_RANK:-0}"
        --master-addr="${MASTER_ADDR:-127.0.0.1}" --master-port="${PORT:-29500}")
fi
exec "$python" -m torch.distributed.run "${meet[@]}" --nproc-per-node="$processes" \
    "$tools/$tool" "${@:3}" --launcher pytorch
