#!/bin/sh
# Compares the planner with HiGHS on the same problems: CPU time, one thread each. The first argument is the built `sluice`;
# further ones go to compare.py (--sizes 100,1000 --seeds 5). HiGHS and numpy live in an environment of their own beside this script.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sluice=${1:?usage: run.sh path/to/sluice [--sizes 100,1000] [--seeds 5]}
shift
if [ ! -x "$here/.venv/bin/python" ]; then
  python3 -m venv "$here/.venv"
  "$here/.venv/bin/pip" install --quiet highspy numpy
fi
exec "$here/.venv/bin/python" "$here/compare.py" "$sluice" "$@"
