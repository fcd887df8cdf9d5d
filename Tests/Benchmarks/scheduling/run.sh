#!/usr/bin/env bash
# Compares the planner with HiGHS on the same problems: CPU time, one thread each. Arguments go to compare.py (--sizes 100,1000
# --seeds 5 --pdlp).
source "$(dirname "${BASH_SOURCE[0]}")/../prepare.sh"
python_with highspy numpy
build sluice planbench
exec "$here/.venv/bin/python" "$here/compare.py" .build/release/sluice .build/release/planbench "$@"
