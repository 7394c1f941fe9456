#!/usr/bin/env bash
# Installs the S3 clients that the end-to-end tests drive and the nginx they put between, as Debian and npm package them.
# Does nothing where they are there.
set -euo pipefail
cd "$(dirname "$0")"

packages=(awscli python3-boto3 s3cmd rclone curl nginx-light)
[ -x /usr/bin/node ] || packages+=(nodejs)
[ -x /usr/bin/npm ] || packages+=(npm)
missing=()
for p in "${packages[@]}"; do
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
done
if [ ${#missing[@]} -ne 0 ]; then
	if [ "$(id -u)" != 0 ]; then
		echo "tests/setup.sh: run once as root to install: ${missing[*]}" >&2
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
fi

# npm ci leaves its own copy of the lock file behind when it is done.
cd e2e/testdata/js
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
	npm ci --silent --no-audit --no-fund --no-update-notifier
	touch node_modules/.package-lock.json
	echo "installed: aws-sdk-js"
fi
