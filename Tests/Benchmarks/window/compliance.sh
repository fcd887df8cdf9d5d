#!/usr/bin/env bash
# From 400 to 150 kW (AT-28): a thousand full hubs of each kind, from the limit to the last moment above it. Takes about a quarter of an
# hour on two cores; a number as argument lives so many instead.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
.ci/prepare
swift build -c release --product sluice -Xswiftc -enable-testing >&2
exec .build/release/sluice torture --limit-trials "${1:-1000}" --seed 1
