# Sourced by each benchmark's run.sh: goes to the root of the repository, and knows how to build and how to make a Python environment.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[1]}")" && pwd)
cd "$here/../../.."

# Builds products as the tests do, so that nothing is built twice.
build() {
  local product
  for product in "$@"; do swift build -c release --product "$product" -Xswiftc -enable-testing >&2; done
}
# The peers live in an environment of their own beside the script.
python_with() {
  [ -x "$here/.venv/bin/python" ] || python3 -m venv "$here/.venv"
  "$here/.venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
}
# Sluice, a fleet of stations, and as the peer a central system on PyPI `ocpp`; thousands of connections, both ends on this machine.
prepare_hub() {
  ulimit -n "$(ulimit -Hn)"
  .ci/prepare python3-venv openssl
  python_with "ocpp>=2,<3" "websockets>=12"
  build sluice fleet
}
