// Package membertest proves that an acknowledged write is never lost and that a process which was overtaken does no harm: a
// simulation of several hosts on one shared mount, in which nearly everything that can go wrong does. What is under proof is the real
// code of packages membership, heartbeat, lease, takeover, config and storage. The mount, the clocks, the network and two small services on top
// (one for names, one for bytes in blocks) are models.
//
// Its invariant: a run is a function of its seed. A goroutine of a simulated process only ever waits for the world's loop: at every
// call to the mount, timer, message and turn of an engine. The loop takes one event at a time, wakes at most the goroutines of one
// process with it, and waits with [testing/synctest] until all stand still again; what they asked for meanwhile is taken in the order of
// process and call, not in the order in which the Go scheduler ran them. Time is the loop's own; the fake clock of synctest never moves.
// A loop alone could not know when a goroutine of code that it does not control has come to rest, and synctest alone does not say
// which of two goroutines runs first; together they do. Random nonces are the one thing that differs between two runs: they are kept
// out of names, orders and traces.
//
// # What the mount may do
//
// A call may take long, fail, fail and take effect all the same, or take effect up to 5 T after its caller got the error; be done
// twice because the reply was lost, so that the winner of a link is told EEXIST; hang while the host is cut off, and go on
// after. Names that were not there, listings and attributes may be remembered for up to 4 T. Writes stay in the kernel
// until a sync, or are written back in any order before; a sync may fail, and then what was not written is dropped, lands later, or has
// landed, and the next sync succeeds. A machine that crashes loses what its kernel keeps; a process that is killed does not.
//
// What it may not do, and what tools that examine a mount must check: a forced attribute read is never stale; a file that is opened
// afresh shows what was synced elsewhere; a sync that succeeds leaves no earlier write of the same host to that file on its way; what
// was synced survives the power.
//
// # What may happen to hosts
//
// Processes are killed, paused (with clocks that go on, a monotonic clock that stops, or both that stop), shut down, started a second time
// where they do not see each other's lock. Machines crash, lose the mount or the network. Services are moved and taken by force. The
// power of the whole site fails. Clocks run at rates up to 5 % apart.
//
// # What is checked
//
// Every read returns at least what was acknowledged before it began, and what any earlier read returned; nothing that nobody wrote;
// and bytes that are those of the name that led to them. When the faults end, every client is served within 20 T, at most one epoch of a
// service is open and unfenced, and the routing hints name it. A version of the configuration is published once, is made from the one
// before it, and stays.
//
// The one exception: when both clocks of a machine stop (its virtual machine was stopped), its process may answer reads from what it
// knew for as long as its lease then seems to last, until the next beat looks at the fences. Clients do not count such answers. Its
// writes are held to the same promise as all others.
//
// It is not a test of Pebble, the engines or the node: the services are models of them that keep the rules in the same places. Pins,
// moves of slots, gossip and placement are not in it.
package membertest
