package holdfast

import (
	"context"
	"io"
	"time"
)

// Limits of [ObjectService].
const (
	// MaxObjectIDs is how many objects one call of Pin, Free or Stat may name.
	MaxObjectIDs = 10_000
	// MaxObjectSize is the size one object may have: the 5 GiB of a single S3 PUT, with room for the file mount.
	MaxObjectSize = 8 << 30
)

// ObjectService is the contract of an object server: it stores, reads and frees the bytes of objects, and knows nothing
// of their names. Implementations: the engine (objsrv), its RPC client (objsrv/objrpc), the in-memory one
// (objsrv/objtest); objtest.Suite runs against all.
//
// All methods are safe for concurrent use. Buffers passed in are the caller's again when the call returns, and
// implementations never keep or change them. Every method may return [NotOwner], [Unavailable], [Overload] and
// [Aborted]; these, and [Unknown], may be retried. Free, Pin and Stat are idempotent. A retried Create makes a
// second object; the first one is given up by its guard.
type ObjectService interface {
	// Create stores the bytes of body as a new object and returns the link to it once data, header and index record are
	// durable and the epoch was seen unfenced after that (R1). It reads body to its end, in pieces of at most 8 MiB, and
	// stores nothing if body ends in an error other than io.EOF: that error is returned as it is. If size ≥ 0
	// and body yields another number of bytes, the error is [Aborted]. An empty body gives the zero Link with OS and Home set.
	// Other kinds: [NoSpace], [TooLarge].
	//
	// The record also is the guard of the create: if no commit makes itself known within [GuardPeriod], the
	// server asks the home slot for the object's fate and frees the bytes if that is doomed.
	Create(ctx context.Context, req CreateRequest, body io.Reader) (Link, error)

	// Read writes the bytes [Offset, Offset+Length) of the object to w, in order, and returns how many were written.
	// Only blocks that hold them are read. Bytes that fail a check are never written: the error is [Corrupt], after the good
	// bytes before them. [NotFound]: there is no such object. [Invalid]: the range is not inside the object. An error of w
	// is returned as it is. The object is pinned while Read runs.
	Read(ctx context.Context, req ReadRequest, w io.Writer) (int64, error)

	// Pin keeps the bytes of the objects from being reused for ttl (at most [MaxPin]), even if they are freed meanwhile; a
	// second Pin renews. Ids that do not exist are reported by [NotFound] after the others were pinned. Pins are
	// kept in memory: after a takeover the server waits one MaxPin before it reuses anything freed.
	Pin(ctx context.Context, ids []ObjectID, ttl time.Duration) error

	// Free gives up objects; it returns once that is durable. Ids that do not exist are ignored. Callers hold a durable
	// fate for each id (R5).
	Free(ctx context.Context, ids []ObjectID) error

	// Stat returns a record per id, in order; one with Size -1 for an object that does not exist.
	Stat(ctx context.Context, ids []ObjectID) ([]ObjectInfo, error)

	// Objects returns up to limit records of objects with ids after the given one, in the order of ids: the way fsck
	// compares bytes with names.
	Objects(ctx context.Context, after ObjectID, limit int) ([]ObjectInfo, error)

	// Status tells space and load; for placement, metrics and operators.
	Status(ctx context.Context) (ObjectStatus, error)
}

// GuardPeriod is how long a created object may stay uncommitted before its server asks for its fate.
const GuardPeriod = 15 * time.Minute

// MaxPin bounds how long one Pin holds.
const MaxPin = 2 * time.Minute

// CreateRequest says what is to be created.
type CreateRequest struct {
	Home Slot  // where the fate will be kept
	Size int64 // of the body, -1 when not known
}

// ReadRequest names a range of an object.
type ReadRequest struct {
	Object ObjectID
	Offset int64
	Length int64
}

// ObjectInfo is what an object server knows of an object.
type ObjectInfo struct {
	Object  ObjectID
	Home    Slot
	Size    int64 // -1: does not exist
	CRC     uint32
	Created time.Time
	Settled bool  // its commit is known; false while guarded
	Stored  int64 // bytes of the blocks that hold it
}

// ObjectStatus describes an object server.
type ObjectStatus struct {
	Objects   int64 // stored objects
	Bytes     int64 // their content
	Allocated int64 // bytes of blocks in use
	Reserved  int64 // bytes of pool files, as the filesystem counts them
	Free      int64 // bytes the filesystem still has
	InFlight  int64 // requests being served
}

// Fate is what became of an object's bytes; the home slot keeps it. Stored, so appended to only.
type Fate uint8

// The fates.
const (
	FatePending   Fate = iota // no commit yet
	FateCommitted             // a name or an unfinished upload links to it
	FateDoomed                // it will never be committed, or no name links to it any more: free it
)

// GuardedObject is an object whose fate an object server asks for.
type GuardedObject struct {
	Object ObjectID
	Home   Slot
}
