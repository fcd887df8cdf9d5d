#!/usr/bin/env bash
# From a limit step or a base-load step to the last decreasing SetChargingProfile, at 200 and at 2,000 charging stations.
# The peer, a central system on PyPI `ocpp`, lives in an environment of its own beside this script. Arguments go to compare.py.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../../.."
ulimit -n "$(ulimit -Hn)"
.ci/prepare python3-venv openssl
[ -x "$here/.venv/bin/python" ] || python3 -m venv "$here/.venv"
"$here/.venv/bin/python" -m pip install --quiet --disable-pip-version-check "ocpp>=2,<3" "websockets>=12"
swift build -c release --product sluice -Xswiftc -enable-testing >&2
swift build -c release --product fleet -Xswiftc -enable-testing >&2
exec "$here/.venv/bin/python" "$here/compare.py" "$@"
