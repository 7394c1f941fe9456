package volume

import (
	"context"
	"testing"
	"testing/synctest"

	"holdfast"
)

func TestWaitIsForThoseWhoEnteredBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f flights
		root := holdfast.DirID{1}
		leaveFirst := f.enter(root)
		leaveOther := f.enter(holdfast.DirID{2})
		done := make(chan error, 1)
		go func() { done <- f.wait(context.Background(), root) }()
		synctest.Wait()
		leaveLater := f.enter(root) // does not wait, and is not waited for
		select {
		case err := <-done:
			t.Fatalf("wait returned before the commit left: %v", err)
		default:
		}
		leaveFirst()
		synctest.Wait()
		if err := <-done; err != nil {
			t.Error(err)
		}
		leaveLater()
		leaveOther()
		if len(f.active) != 0 {
			t.Errorf("%d roots are left", len(f.active))
		}
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	var f flights
	defer f.enter(holdfast.DirID{1})()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.wait(ctx, holdfast.DirID{1}); err == nil {
		t.Error("wait returned without an error")
	}
}
