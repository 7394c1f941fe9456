// Package namesrv is the name server: the engine behind [holdfast.NameService]. It keeps directories of names in a
// Pebble store, changes them by small atomic transactions, and answers lookups and ordered scans.
//
// Its invariants: a reader sees only what is durable and fenced (rules R1 and R2); a transaction is in the store whole or not at
// all, together with its change records, counters, fates and garbage; the bytes of an object are freed only after a
// durable fate says so (R5). It does not store bytes, does not route, and starts no step of an operation by itself:
// what takes several steps is driven by its callers, who find what was left half done under [Engine.Intents].
//
// One goroutine, the committer, makes all changes, in groups that share one sync. DESIGN.md says why; FORMAT.md has the keys.
package namesrv
