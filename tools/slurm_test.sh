#!/usr/bin/env bash
# Test below slurm: slurm_test.sh PARTITION JOB_NAME CONFIG CHECKPOINT [ARGUMENTS OF test.py]
if [ $# -lt 4 ]; then sed -n 2p "$0" >&2; exit 2; fi
exec "$(dirname "${BASH_SOURCE[0]}")/slurm_run.sh" test.py "$@"
