// Package bench is `holdfast bench`: a load generator for any S3 endpoint, and
// for a bare directory to compare with.
//
//	holdfast bench put --endpoint http://127.0.0.1:9000 --credentials holdfast-data/root-credentials.env --duration 10s
//
// A run is a set of workers, one persistent connection each (package wire),
// that issue one operation after the other: a closed loop, so latencies are
// those seen at the given concurrency and say nothing about a server that is
// offered more than it takes. Names, sizes and contents of objects are
// functions of the seed and an index (package payload), so any later run with
// the same --seed, --size, --prefix and --keys can read and verify what an
// earlier one wrote, and nothing is remembered per object.
//
// Invariant: every operation begun after the warm-up and ended before the
// interrupt is in the report, once, as a success with its latency or as an
// error under its code; none is sampled and, unless --retries says so, none
// is tried again.
//
// The generator shares cores with the server when both run on one machine, so
// it is written to cost little (about a tenth of what net/http's client
// costs), reports its own processor time, and can report the server's.
// It speaks path-style addressing only.
package bench
