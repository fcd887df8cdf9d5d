#!/usr/bin/env bash
# From a limit over HTTP to the last decreasing SetChargingProfile at 200 and 2,000 charging stations: alone, with 200 followers of the stream and
# 1,000 requests a second at another hub on this machine, and with the same at this hub. Arguments go to compare.py.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../../.."
ulimit -n "$(ulimit -Hn)"
.ci/prepare python3
swift build -c release --product sluice -Xswiftc -enable-testing >&2
swift build -c release --product fleet -Xswiftc -enable-testing >&2
exec python3 "$here/compare.py" "$@"
