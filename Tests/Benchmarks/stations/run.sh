#!/usr/bin/env bash
# 5,000 connected stations: memory, CPU of a heartbeat, a reconnection storm; with TLS and without.
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
