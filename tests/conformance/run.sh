#!/usr/bin/env bash
# Run the Spector suite through dynclient, in each version of OpenAPI, and the suite of the Model Context Protocol against
# its server: a line each, and what failed.
#
#   tests/conformance/run.sh [arguments of run_spector.py, such as --filter payload/xml --verbose]
#
# DYNCLIENT_PYTHON  the Python that has dynclient (default: the checkout's .venv)
# OPENAPI_VERSIONS  "3.0.0 3.1.0 3.2.0"
# CONFORMANCE_HOME  where Spector is installed (default: ~/.cache/conformance)
# CONFORMANCE_NODE  a node of version 22 or newer, in place of the one that is installed (for linux-x64)
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export CONFORMANCE_HOME=${CONFORMANCE_HOME:-$HOME/.cache/conformance}
python=${DYNCLIENT_PYTHON:-$here/../../.venv/bin/python}

bash "$here/setup.sh" || exit 1
failed=0
for version in ${OPENAPI_VERSIONS:-3.0.0 3.1.0 3.2.0}; do
    "$python" -W error::ResourceWarning "$here/run_spector.py" \
        --adapter "$here/adapters/dynclient_adapter.py" --openapi "$version" --brief "$@" || failed=1
done
# Arguments choose scenarios of Spector.
[ $# -gt 0 ] || "$python" "$here/run_mcp.py" ${CONFORMANCE_NODE:+"$CONFORMANCE_NODE"} || failed=1
exit "$failed"
