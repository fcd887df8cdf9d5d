#!/usr/bin/env bash
# How many hub-hours the torture lives in a minute of one processor, and the current that caution costs: committed and not drawn, in parts of the
# connection. Calm days, days with a mixture of faults, with all of them, and on wires. No peer lives such days. Argument: how many hubs of
# each (default 12).
source "$(dirname "${BASH_SOURCE[0]}")/../prepare.sh"
build sluice
export SLUICE_PROFILES="$PWD/Profiles"
for kind in "--calm" "" "--everything" "--everything --wire"; do
  # shellcheck disable=SC2086
  printf '%-21s %s\n' "${kind:-(mixed)}" "$(.build/release/sluice torture --seeds "1..${1:-12}" --hours 8 --connectors 24 $kind | tail -n 1)"
done
