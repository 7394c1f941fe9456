package holdfast

// Fence tells a service whether it still owns its service directory. The node that claimed the epoch gives it to the
// engine; the rules R1 and R2 of ARCHITECTURE.md are kept by calling it. Safe for concurrent use.
type Fence interface {
	// Epoch is the epoch the engine runs under.
	Epoch() Epoch

	// Held reports from memory whether the lease is in force and no fence was seen: nil, [Unavailable] while the lease
	// has lapsed, [NotOwner] for ever once fenced. It costs an atomic load. Rule R2: call it before issuing
	// writes, before replying to reads and before destructive work.
	Held() error

	// Confirm does one forced attribute read of the epoch's fence file and returns nil if the epoch was still
	// unfenced at some moment after the call began. Rule R1: a write is acknowledged only after it is durable and, after
	// that, a Confirm returned nil. One call serves a whole commit group. Errors are as for Held, or [Unknown]
	// when the mount does not answer; after an error nothing of the group may be acknowledged.
	Confirm() error

	// Lose marks the service lost (rule R6: a failed fsync makes the state unknown). From then on Held and
	// Confirm return [NotOwner]; the node closes the engine and claims a new epoch.
	Lose(reason error)
}
