#!/usr/bin/env bash
# Installs the S3 clients that the end-to-end tests drive and the nginx they put between, and what other tests look at the machine with, as
# Debian and npm package them. Does nothing where they are there.
set -euo pipefail
cd "$(dirname "$0")"
. ./install.sh

packages=(awscli python3-boto3 s3cmd rclone curl nginx-light iproute2)
[ -x /usr/bin/systemd-analyze ] || packages+=(systemd)
[ -x /usr/bin/node ] || packages+=(nodejs)
[ -x /usr/bin/npm ] || packages+=(npm)
install "${packages[@]}"

# npm ci leaves its own copy of the lock file behind when it is done.
cd e2e/testdata/js
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
	npm ci --silent --no-audit --no-fund --no-update-notifier
	touch node_modules/.package-lock.json
	echo "installed: aws-sdk-js"
fi
