// Package probe tells whether a mount is fit for Holdfast: it does on it what name servers, object servers and leases rely on, from one
// host or from two, and says in words what would go wrong.
//
// Measuring ([Options], [Measurement]) and judging ([Judge]) are apart: judging is a pure function of what was measured, so that every
// unfitness is a row of a table test. The invariant of measuring: everything happens in one directory of its own below the one probed,
// which is removed at the end, and every step has a bound, whatever the mount does. It is no proof: a mount that is well today may
// stall when it loses a server, and only taking one away while the probe runs ([Options.ServerLoss]) shows that.
package probe
