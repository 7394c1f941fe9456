package objsrv

import (
	"log/slog"

	"holdfast"
	"holdfast/objsrv/pool"
)

// Events are told of what happens in the engine outside of requests, or beyond the one request that meets it. Nil fields
// are skipped; the functions must return soon and not call the engine.
type Events struct {
	// Corrupt: stored bytes of an object failed a check. The object is lost from this offset's sub-block on or in part.
	Corrupt func(CorruptInfo)
	// BackgroundFailed: a background job met an error and will try again.
	BackgroundFailed func(job string, err error)
	// Lost: the service was dropped after a fault (R6).
	Lost func(reason error)
	// PinsBroken: pins were given up to make room.
	PinsBroken func(n int)
	// ScrubDone, DefragDone, SweepDone: a round of a background job ended.
	ScrubDone  func(ScrubResult)
	DefragDone func(DefragResult)
	SweepDone  func(SweepResult)
}

// CorruptInfo says which bytes are bad and where they are.
type CorruptInfo struct {
	Object holdfast.ObjectID
	Block  pool.Addr
	Offset int64 // in the object
	Err    error
}

// withLogger returns events that are also logged.
func (ev Events) withLogger(log *slog.Logger) Events {
	if log == nil {
		return ev
	}
	return Events{
		Corrupt: both(ev.Corrupt, func(i CorruptInfo) {
			log.Error("object is corrupt", "object", i.Object.String(), "offset", i.Offset,
				"pool", i.Block.Class.Size(), "file", uint64(i.Block.File), "block", i.Block.Block, "error", i.Err)
		}),
		BackgroundFailed: func(job string, err error) {
			log.Warn("background job failed, will try again", "job", job, "error", err)
			if ev.BackgroundFailed != nil {
				ev.BackgroundFailed(job, err)
			}
		},
		Lost:       both(ev.Lost, func(err error) { log.Error("object server is lost", "error", err) }),
		PinsBroken: both(ev.PinsBroken, func(n int) { log.Warn("pins given up to make room", "pins", n) }),
		ScrubDone: both(ev.ScrubDone, func(r ScrubResult) {
			log.Info("scrub round done", "objects", r.Objects, "bytes", r.Bytes, "corrupt", r.Corrupt)
		}),
		DefragDone: both(ev.DefragDone, func(r DefragResult) {
			log.Info("defragmentation done", "moved", r.Moved, "punched", r.Punched, "files", r.Files)
		}),
		SweepDone: both(ev.SweepDone, func(r SweepResult) {
			log.Info("sweep done", "asked", r.Asked, "freed", r.Freed, "doubtful", r.Doubtful)
		}),
	}
}

func both[T any](a, b func(T)) func(T) {
	if a == nil {
		return b
	}
	return func(v T) {
		a(v)
		b(v)
	}
}

// tell calls f if there is one.
func tell[T any](f func(T), v T) {
	if f != nil {
		f(v)
	}
}
