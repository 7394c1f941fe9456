package s3api

import (
	"errors"
	"fmt"
	"testing"

	"holdfast"
)

// Every kind but Other has a row, so that a new kind is thought about here.
func TestEveryKindHasACode(t *testing.T) {
	for k := range holdfast.Kinds {
		kind := holdfast.Kind(k)
		code, ok := kindCodes[kind]
		if !ok && kind != holdfast.Other {
			t.Errorf("%v has no code", kind)
		}
		if ok && !code.Known() {
			t.Errorf("%v: %s is not in the catalogue", kind, code)
		}
	}
	if got := CodeOf(holdfast.Kind(60000)); got != InternalError {
		t.Errorf("an unknown kind is %s, want InternalError", got)
	}
}

func TestFromStore(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want Code
	}{
		{nil, ""},
		{holdfast.E("ns.lookup", holdfast.NotFound, nil), NoSuchKey},
		{fmt.Errorf("gw.put: %w", holdfast.E("os.create", holdfast.NoSpace, nil)), InsufficientStorage},
		{fmt.Errorf("gw.put: %w", NoBucket("b")), NoSuchBucket},
		{E(InternalError), InternalError},
		{errors.New("odd"), InternalError},
		{holdfast.E("os.read", holdfast.Aborted, E(BadDigest)), BadDigest}, // the body's own error wins
	} {
		if got := codeOf(FromStore(tt.err)); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.err, got, tt.want)
		}
	}
}
