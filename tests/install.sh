# Sourced by the scripts that set tests up: install PACKAGE... installs those Debian packages that are not there, which takes root, and
# starts no daemon.
install() {
	local p missing=()
	for p in "$@"; do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
	done
	[ ${#missing[@]} -ne 0 ] || return 0
	if [ "$(id -u)" != 0 ]; then
		echo "$0: run once as root to install: ${missing[*]}" >&2
		return 1
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
}
