#!/usr/bin/env bash
# From a limit step or a base-load step to the last decreasing SetChargingProfile, at 200 and at 2,000 charging stations.
# Arguments go to compare.py.
source "$(dirname "${BASH_SOURCE[0]}")/../prepare.sh"
prepare_hub
exec "$here/.venv/bin/python" "$here/compare.py" "$@"
