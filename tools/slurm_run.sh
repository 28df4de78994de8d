#!/usr/bin/env bash
# Start a tool below slurm: slurm_run.sh TOOL PARTITION JOB_NAME [ARGUMENTS]
# GPUS (8), GPUS_PER_NODE (8), CPUS_PER_TASK (5) and SRUN_ARGS come from the environment.
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tool=$1 partition=$2 job_name=$3
gpus=${GPUS:-8} per_node=${GPUS_PER_NODE:-8}
[ "$gpus" -ge "$per_node" ] || per_node=$gpus
python=${PYTHON:-$tools/../.venv/bin/python}
[ -x "$(command -v "$python")" ] || python=python
read -r -a extra <<<"${SRUN_ARGS:-}"
exec srun --partition="$partition" --job-name="$job_name" --gres=gpu:"$per_node" \
    --ntasks="$gpus" --ntasks-per-node="$per_node" --cpus-per-task="${CPUS_PER_TASK:-5}" \
    --kill-on-bad-exit=1 ${extra[@]+"${extra[@]}"} \
    "$python" -u "$tools/$tool" "${@:4}" --launcher slurm
