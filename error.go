package holdfast

import (
	"context"
	"errors"
	"strings"
)

// Kind is the class of an error: all that callers may decide on. Kinds travel across RPC as their number, so the list
// is only ever appended to.
type Kind uint16

// The kinds. Beside each: when it comes back and what the caller does about it.
const (
	Other         Kind = iota // none of the others; not retried
	Invalid                   // the request breaks a rule of the contract; not retried
	NotFound                  // the name, version, object or directory entry does not exist
	Exists                    // exclusive creation lost
	DirGone                   // the directory was sealed or removed: resolve the path again, help unlink it
	NotEmpty                  // the directory still has entries
	Precondition              // a condition of the request does not hold
	Conflict                  // another change got in between; the caller may read again and retry
	Doomed                    // the bytes were given up before the commit came: create them again
	NoSuchUpload              // the multipart upload does not exist (any more)
	InvalidPart               // a part of a complete request is missing or has another ETag
	PartTooSmall              // a part other than the last is under the minimum size
	NotOwner                  // this process does not own the service (any more): find the owner and ask there
	Unavailable               // cannot answer now (starting, lease lapsed, peer unreachable): retry with back-off
	Overload                  // a bounded queue is full: slow down
	NoSpace                   // the storage is full: reads and deletes still work
	Corrupt                   // stored bytes fail their checksum
	TooLarge                  // over a limit of the contract
	Aborted                   // the caller's body or context ended early; nothing was changed
	Locked                    // object lock forbids it
	Unsupported               // not built, or not possible on this mount
	Unknown                   // the outcome is unknown (a failed fsync, a lost reply): ask, or retry what is idempotent
	Denied                    // the caller lacks the right
	QuotaExceeded             // the bucket's or owner's quota is used up
	kindEnd
)

var kindNames = [kindEnd]string{
	"other", "invalid", "not found", "exists", "directory gone", "not empty", "precondition failed", "conflict",
	"doomed", "no such upload", "invalid part", "part too small", "not owner", "unavailable", "overload", "no space",
	"corrupt", "too large", "aborted", "locked", "unsupported", "unknown outcome", "denied", "quota exceeded",
}

// String returns the kind in words; the words are also the values of the `kind` label of error metrics.
func (k Kind) String() string {
	if k < kindEnd {
		return kindNames[k]
	}
	return "other"
}

// Kinds is the number of kinds; a number at or past it, read from a newer peer, means [Other].
const Kinds = int(kindEnd)

// Error is the error type of all packages. Op is the operation in the words of the code ("objsrv.create"), ID the
// thing it was about (an id or a name; may be empty), Err the cause (may be nil).
type Error struct {
	Op   string
	Kind Kind
	ID   string
	Err  error
}

// E builds an error without a subject.
func E(op string, kind Kind, err error) *Error { return &Error{Op: op, Kind: kind, Err: err} }

// Error writes "op id: kind: cause".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.ID != "" {
		b.WriteByte(' ')
		b.WriteString(e.ID)
	}
	if e.Kind != Other || e.Err == nil {
		b.WriteString(": ")
		b.WriteString(e.Kind.String())
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the outermost [Error] in err's chain that has one other than [Other]; a cancelled or expired context
// is [Aborted]. KindOf(nil) is Other.
func KindOf(err error) Kind {
	for cause := err; cause != nil; {
		var e *Error
		if !errors.As(cause, &e) {
			break
		}
		if e.Kind != Other {
			return e.Kind
		}
		cause = e.Err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return Aborted
	}
	return Other
}

// Is reports whether err is of the kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }
