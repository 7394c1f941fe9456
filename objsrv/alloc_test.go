package objsrv_test

import (
	"testing"

	"holdfast"
	"holdfast/objsrv/objtest"
)

// Reading a small object whose record is cached allocates nothing: at thousands of reads a second the garbage would cost
// more than the read.
func TestSmallReadsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes pools forget their buffers at random")
	}
	e := openNew(t, nil)
	link := objtest.MustCreate(t, e, objtest.Content(1, 4096))
	ctx, req := t.Context(), holdfast.ReadRequest{Object: link.Object, Length: link.Size}
	got := testing.AllocsPerRun(200, func() {
		if _, err := e.Read(ctx, req, sink{}); err != nil {
			t.Error(err)
		}
	})
	if got >= 1 {
		t.Errorf("a read makes %v allocations, want none", got)
	}
}
