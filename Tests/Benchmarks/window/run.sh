#!/usr/bin/env bash
# From a limit over HTTP to the last decreasing SetChargingProfile at 200 charging stations, and the same while 200 clients follow the
# stream and others ask as fast as they are answered. Arguments go to compare.py.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../../.."
ulimit -n "$(ulimit -Hn)"
.ci/prepare python3
swift build -c release --product sluice -Xswiftc -enable-testing >&2
swift build -c release --product fleet -Xswiftc -enable-testing >&2
exec python3 "$here/compare.py" "$@"
