#!/usr/bin/env bash
# Compares the planner with HiGHS on the same problems: CPU time, one thread each. Arguments go to compare.py (--sizes 100,1000
# --seeds 5 --pdlp). HiGHS and numpy live in an environment of their own beside this script.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../../.."
[ -x "$here/.venv/bin/python" ] || python3 -m venv "$here/.venv"
"$here/.venv/bin/python" -m pip install --quiet --disable-pip-version-check highspy numpy
swift build -c release --product sluice -Xswiftc -enable-testing >&2
swift build -c release --product planbench -Xswiftc -enable-testing >&2
exec "$here/.venv/bin/python" "$here/compare.py" .build/release/sluice .build/release/planbench "$@"
