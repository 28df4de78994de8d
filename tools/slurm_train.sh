#!/usr/bin/env bash
# Train below slurm: slurm_train.sh PARTITION JOB_NAME CONFIG [ARGUMENTS OF train.py]
if [ $# -lt 3 ]; then sed -n 2p "$0" >&2; exit 2; fi
exec "$(dirname "${BASH_SOURCE[0]}")/slurm_run.sh" train.py "$@"
