// Command bench is `make bench`: it measures a fresh server on this machine
// against two floors in the same run, alternating between them so that a noisy
// neighbour hits all alike:
//
//	(a) null: the same HTTP server and authentication, `holdfast null-server`,
//	    which discards bodies or invents them;
//	(b) raw:  pwrite and fdatasync of the same bytes into a file in the same
//	    directory.
//
// It builds cmd/holdfast, starts both servers, runs every scenario for several
// rounds and prints a markdown table of medians and ratios beside the targets,
// the machine's description, and all figures as JSON into a file.
//
//	go run ./tests/bench            # a few minutes
//	go run ./tests/bench -quick     # at most a minute, coarser figures
//	go run ./tests/bench -scale 3000000   # cost per operation at 100 thousand names and at 3 million
//
// It exits with an error if something could not be measured, never because a
// target was missed: figures depend on the machine, and a person reads them.
//
// It is a program and not a Go benchmark because its subject is two processes
// and a disk; the code under test runs exactly as shipped.
package main
