#!/usr/bin/env bash
# 5,000 connected stations: memory, CPU of a heartbeat, a reconnection storm; with TLS and without. Arguments go to compare.py.
source "$(dirname "${BASH_SOURCE[0]}")/../prepare.sh"
prepare_hub
exec "$here/.venv/bin/python" "$here/compare.py" "$@"
