#!/usr/bin/env bash
# Train in several processes: dist_train.sh CONFIG PROCESSES [ARGUMENTS OF train.py]
if [ $# -lt 2 ]; then sed -n 2p "$0" >&2; exit 2; fi
exec "$(dirname "${BASH_SOURCE[0]}")/dist_run.sh" train.py "$2" "$1" "${@:3}"
