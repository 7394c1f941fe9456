# Every target is one documented line; `make help` prints them. All of them run on a fresh Debian machine with Go, git and
# root; `make setup` installs the real clients that the tests drive.
GO       ?= go
PKGS     ?= ./...
FUZZTIME ?= 10s
SEEDS    ?= 5000

.DEFAULT_GOAL := help

## help: list the targets
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST) | awk -F': ' '{printf "  %-8s %s\n", $$1, $$2}'

## build: build the binary into ./bin/holdfast
build:
	$(GO) build -o bin/holdfast ./cmd/holdfast

## setup: install the S3 clients that the end-to-end tests drive (awscli, boto3, s3cmd, rclone); needs root once
setup:
	@tests/setup.sh

## test: install what the tests need and run every test, the real clients against the real binary too
test: setup
	$(GO) test -timeout 20m $(PKGS)

## short: unit tests only, no network, no clients
short:
	$(GO) test -short -timeout 5m $(PKGS)

## race: the unit tests under the race detector
race:
	$(GO) test -short -race -timeout 15m $(PKGS)

## lint: gofmt, go vet, staticcheck, import direction
lint:
	@out=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "gofmt would change:"; echo "$$out"; exit 1; fi
	$(GO) vet $(PKGS)
	$(GO) tool staticcheck $(PKGS)
	$(GO) test -count=1 ./tests/imports

## check: lint and race, what a change must pass before review
check: lint race

## crash: the crash, fault and kill -9 tests, longer than in `test`
crash:
	HOLDFAST_LONG=1 $(GO) test -timeout 60m -run 'Crash|Fault|Kill' $(PKGS)

## sim: SEEDS (5000) runs of the simulation of several hosts on one mount, from a random first seed
sim:
	$(GO) test -count=1 -timeout 60m -v -run TestSimulation ./membership/membertest -seeds $(SEEDS) -from $$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')

## cluster: clusters of hosts in network namespaces over GlusterFS and MooseFS, broken under load; needs root and installs both
cluster:
	@tests/cluster/setup.sh
	HOLDFAST_CLUSTER=1 $(GO) test -count=1 -p 1 -v -timeout 60m ./tests/cluster/...

## fuzz: every fuzz target for FUZZTIME (10s)
fuzz:
	@tests/fuzz.sh $(GO) $(FUZZTIME)

## bench: measure against the null server and the raw disk; prints a table of ratios
bench:
	$(GO) run ./tests/bench

.PHONY: help build setup test short race lint check crash sim cluster fuzz bench
