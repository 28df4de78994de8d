#!/usr/bin/env bash
# Test in several processes: dist_test.sh CONFIG CHECKPOINT PROCESSES [ARGUMENTS OF test.py]
if [ $# -lt 3 ]; then sed -n 2p "$0" >&2; exit 2; fi
exec "$(dirname "${BASH_SOURCE[0]}")/dist_run.sh" test.py "$3" "$1" "$2" "${@:4}"
