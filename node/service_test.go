package node

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// hanging is an engine whose Close takes no notice of its context.
type hanging struct{ release chan struct{} }

func (h hanging) Close(context.Context) error {
	<-h.release
	return nil
}

// closing is an engine that closes with an error, or without.
type closing struct{ err error }

func (c closing) Close(context.Context) error { return c.err }

// TestAnEngineThatHangsIsLeftBehind wants the end of a service bounded, whatever its engine is stuck in.
func TestAnEngineThatHangsIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{id: 0x1000000000000001, log: slog.New(slog.DiscardHandler)}
		h := hanging{make(chan struct{})}
		begun := time.Now()
		if s.shut(h) {
			t.Error("an engine that hangs was closed cleanly")
		}
		if took := time.Since(begun); took != closeWithin+closeGrace { // time is virtual here
			t.Errorf("given up after %v, want %v", took, closeWithin+closeGrace)
		}
		close(h.release)
		if s.shut(closing{errors.New("broken")}) {
			t.Error("an engine that failed to close was closed cleanly")
		}
		if !s.shut(closing{}) {
			t.Error("an engine that closed was not")
		}
	})
}
