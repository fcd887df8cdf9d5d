#!/usr/bin/env bash
# Compares `sluice simulate` with ACN-Sim (PyPI acnportal) on the same sessions at a single feeder: energy delivered and shortfall under
# uncontrolled, first-come and earliest-deadline, and simulated days per second of CPU, one thread each. Then a year of 100 connectors,
# optimal policy, report included. Arguments go to compare.py (--days 3 --large). ACN-Sim lives in an environment of its own beside this script.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../../.."
[ -x "$here/.venv/bin/python" ] || python3 -m venv "$here/.venv"
"$here/.venv/bin/python" -m pip install --quiet --disable-pip-version-check acnportal==0.3.3
swift build -c release --product sluice -Xswiftc -enable-testing >&2
export SLUICE_PROFILES="$PWD/Profiles"
exec "$here/.venv/bin/python" "$here/compare.py" .build/release/sluice "$@"
