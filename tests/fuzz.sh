#!/usr/bin/env bash
# Runs every fuzz target of the module for a while, one after the other: fuzz.sh GO TIME
set -euo pipefail
go=$1 time=$2
grep -rlE '^func Fuzz' --include='*_test.go' . | sort | while read -r file; do
	dir=$(dirname "$file")
	grep -oE '^func Fuzz[A-Za-z0-9_]*' "$file" | awk '{print $2}' | while read -r target; do
		echo "== $dir $target"
		"$go" test "$dir" -run '^$' -fuzz "^$target\$" -fuzztime "$time" </dev/null
	done
done
