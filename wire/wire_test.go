package wire

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"holdfast"
)

func TestErrorsKeepKindAndText(t *testing.T) {
	inner := &holdfast.Error{Op: "pool.read", Kind: holdfast.Corrupt, ID: "1-2", Err: errors.New("bad checksum")}
	for _, err := range []error{
		inner,
		fmt.Errorf("reading: %w", inner),
		&holdfast.Error{Op: "name.get", Err: inner},
		&holdfast.Error{},
		&holdfast.Error{Op: "x", Err: errors.New("")},
		errors.New("plain"),
		context.Canceled,
	} {
		got := Flatten(err).Restore()
		if got.Error() != err.Error() || holdfast.KindOf(got) != holdfast.KindOf(err) {
			t.Errorf("got %q of kind %v, want %q of kind %v", got, holdfast.KindOf(got), err, holdfast.KindOf(err))
		}
	}
}

func FuzzErrorRestore(f *testing.F) {
	f.Add(uint32(0), []byte(nil), []byte(nil), []byte(nil), uint32(0))
	f.Add(uint32(holdfast.Corrupt), []byte("pool.read"), []byte("1-2"), []byte("bad checksum"), uint32(holdfast.Other))
	f.Add(uint32(holdfast.Kinds), []byte{}, []byte{}, []byte{}, uint32(1<<31))
	f.Fuzz(func(t *testing.T, kind uint32, op, id, text []byte, cause uint32) {
		err := Error{Kind: kind, Op: op, ID: id, Text: text, CauseKind: cause}.Restore()
		if k := holdfast.KindOf(err); int(k) >= holdfast.Kinds {
			t.Errorf("kind %d came through", k)
		}
		again := Flatten(err).Restore()
		if again.Error() != err.Error() || holdfast.KindOf(again) != holdfast.KindOf(err) {
			t.Errorf("%q of kind %v became %q of kind %v", err, holdfast.KindOf(err), again, holdfast.KindOf(again))
		}
	})
}

func TestLostTellsWhatIsKnown(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tc := range []struct {
		ctx        context.Context
		code       codes.Code
		mayHaveRun bool
		want       holdfast.Kind
	}{
		{t.Context(), codes.Unavailable, false, holdfast.Unavailable},
		{t.Context(), codes.Canceled, false, holdfast.Unavailable},
		{t.Context(), codes.Unavailable, true, holdfast.Unknown},
		{t.Context(), codes.Unimplemented, true, holdfast.Unsupported},
		{t.Context(), codes.DeadlineExceeded, false, holdfast.Aborted},
		{t.Context(), codes.ResourceExhausted, false, holdfast.TooLarge},
		{t.Context(), codes.PermissionDenied, false, holdfast.Denied},
		{t.Context(), codes.Internal, false, holdfast.Other},
		{ended, codes.Unavailable, false, holdfast.Aborted},
		{ended, codes.Unavailable, true, holdfast.Unknown},
	} {
		err := Lost(tc.ctx, "op", 7, status.Error(tc.code, "x"), tc.mayHaveRun)
		if got := holdfast.KindOf(err); got != tc.want {
			t.Errorf("%v, may have run %v: %v, want %v", tc.code, tc.mayHaveRun, got, tc.want)
		}
		if tc.ctx == ended && !errors.Is(err, context.Canceled) {
			t.Errorf("%v: %v does not tell that the context ended", tc.code, err)
		}
	}
	if err := Lost(t.Context(), "op", 7, status.Error(codes.ResourceExhausted, "x"), false); !errors.Is(err, ErrMessage) {
		t.Errorf("%v, want ErrMessage in its chain", err)
	}
}

func TestRegistry(t *testing.T) {
	var r Registry[string]
	if _, err := r.Find("op", 1); !holdfast.Is(err, holdfast.NotOwner) {
		t.Errorf("find in an empty registry: %v, want not owner", err)
	}
	r.Remove(1)
	r.Add(1, "a")
	r.Add(1, "b")
	if got, err := r.Find("op", 1); got != "b" || err != nil {
		t.Errorf("find: %q, %v, want b", got, err)
	}
	r.Remove(1)
	if _, err := r.Find("op", 1); !holdfast.Is(err, holdfast.NotOwner) {
		t.Errorf("find what was removed: %v, want not owner", err)
	}
}
