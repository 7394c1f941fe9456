#!/usr/bin/env bash
# Installs what make cluster needs, as Debian packages it: GlusterFS, MooseFS, iproute2 and util-linux. Does nothing where they are there.
# No daemon of them is started: the tests run their own, in network namespaces.
set -euo pipefail
. "$(dirname "$0")/../install.sh"

packages=(glusterfs-server glusterfs-client moosefs-master moosefs-chunkserver moosefs-client moosefs-cli iproute2 util-linux)
install "${packages[@]}"
