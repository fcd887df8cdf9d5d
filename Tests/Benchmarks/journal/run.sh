#!/usr/bin/env bash
# How much the journal of a live hub grows by in a day: 24 connectors, three meters at 1 s, on real wires at real speed.
# Usage: run.sh [MINUTES [SPEED [BINARY]]]. The growth between the third minute, when all stations have been set up, and the last
# is taken, write-ahead log folded in; the snapshot that a hub takes each hour is counted 24 times a day.
source "$(dirname "${BASH_SOURCE[0]}")/../prepare.sh"
minutes=${1:-15}
speed=${2:-1}
[ $# -ge 3 ] || build sluice
sluice=${3:-.build/release/sluice}
export SLUICE_PROFILES="$PWD/Profiles"
state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT

"$sluice" demo --plain --for "${minutes}m" --speed "$speed" --state "$state" > "$state/log" &
hub=$!
sleep 180
"$sluice" journal size "$state" > "$state/before"
wait "$hub"
"$sluice" journal size "$state" > "$state/after"
cat "$state/after"
awk '
  # name   count   bytes B   share: the last " B" on the line follows the bytes
  function bytes(line) { return match(line, /[0-9]+ B/) ? substr(line, RSTART, RLENGTH - 2) + 0 : 0 }
  FNR == 1 { file += 1 }
  /^entries=/ { split($1, e, "="); entries[file] = e[2]; split($2, s, "="); span[file] = s[2] }
  /^file / { total[file] = bytes($0) }
  /^snapshots/ { snapshots[file] = bytes($0); count[file] = $2 }
  END {
    seconds = span[2] - span[1]
    grown = total[2] - total[1] - (snapshots[2] - snapshots[1])
    printf "\nfrom second %d to %d: %d bytes in %d entries, %.1f bytes an entry, %.1f entries a second\n", \
      span[1], span[2], grown, entries[2] - entries[1], grown / (entries[2] - entries[1]), (entries[2] - entries[1]) / seconds
    printf "a day: %.1f MB, of which %.1f MB snapshots; wanted: below 20 MB\n", \
      (grown * 86400 / seconds + 24 * snapshots[2] / count[2]) / 1e6, 24 * snapshots[2] / count[2] / 1e6
  }' "$state/before" "$state/after"
