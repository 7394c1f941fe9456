#!/usr/bin/env bash
# Installs what make cluster needs, as Debian packages it: GlusterFS, MooseFS, iproute2 and util-linux. Does nothing where they are there.
# No daemon of them is started: the tests run their own, in network namespaces.
set -euo pipefail

packages=(glusterfs-server glusterfs-client moosefs-master moosefs-chunkserver moosefs-client moosefs-cli iproute2 util-linux)
missing=()
for p in "${packages[@]}"; do
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
done
[ ${#missing[@]} -ne 0 ] || exit 0
if [ "$(id -u)" != 0 ]; then
	echo "tests/cluster/setup.sh: run once as root to install: ${missing[*]}" >&2
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# Packages of daemons would start them; this is the file that Debian asks.
if [ ! -e /usr/sbin/policy-rc.d ]; then
	printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
	chmod +x /usr/sbin/policy-rc.d
	trap 'rm -f /usr/sbin/policy-rc.d' EXIT
fi
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
echo "installed: ${missing[*]}"
