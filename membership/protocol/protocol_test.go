package protocol_test

import (
	"strings"
	"testing"

	"holdfast"
	"holdfast/membership/protocol"
)

func TestChoose(t *testing.T) {
	for _, tc := range []struct {
		ours, peer protocol.Range
		want       protocol.Version // 0: refused
		advice     string
	}{
		{ours: protocol.Range{Min: 1, Max: 1}, peer: protocol.Range{Min: 1, Max: 1}, want: 1},
		{ours: protocol.Range{Min: 1, Max: 2}, peer: protocol.Range{Min: 2, Max: 3}, want: 2},
		{ours: protocol.Range{Min: 1, Max: 4}, peer: protocol.Range{Min: 2, Max: 3}, want: 3},
		{ours: protocol.Range{Min: 1, Max: 1}, peer: protocol.Range{Min: 2, Max: 3}, advice: "speaks 1, its peer 2-3: upgrade this node"},
		{ours: protocol.Range{Min: 3, Max: 4}, peer: protocol.Range{Min: 1, Max: 2}, advice: "speaks 3-4, its peer 1-2: upgrade the peer"},
		{ours: protocol.Range{Min: 1, Max: 1}, peer: protocol.Range{}, advice: "no range"},
		{ours: protocol.Range{Min: 1, Max: 1}, peer: protocol.Range{Min: 2, Max: 1}, advice: "no range"},
	} {
		got, err := tc.ours.Choose(tc.peer)
		if got != tc.want || (err != nil) != (tc.want == 0) {
			t.Errorf("%v and %v: got %d, %v; want %d", tc.ours, tc.peer, got, err, tc.want)
		}
		if err != nil && (!holdfast.Is(err, holdfast.Unsupported) || !strings.Contains(err.Error(), tc.advice)) {
			t.Errorf("%v and %v: got %v, want Unsupported with %q", tc.ours, tc.peer, err, tc.advice)
		}
	}
}

// Both sides come to the same answer, and it is one that both speak.
func FuzzChooseIsSymmetric(f *testing.F) {
	f.Add(uint16(1), uint16(2), uint16(2), uint16(3))
	f.Fuzz(func(t *testing.T, a, b, c, d uint16) {
		x := protocol.Range{Min: protocol.Version(a), Max: protocol.Version(b)}
		y := protocol.Range{Min: protocol.Version(c), Max: protocol.Version(d)}
		v, err := x.Choose(y)
		back, backErr := y.Choose(x)
		if v != back || (err == nil) != (backErr == nil) {
			t.Fatalf("%v and %v: %d, %v one way and %d, %v the other", x, y, v, err, back, backErr)
		}
		if err == nil && (v < x.Min || v > x.Max || v < y.Min || v > y.Max) {
			t.Errorf("%v and %v chose %d", x, y, v)
		}
	})
}

func TestCommon(t *testing.T) {
	ours := protocol.Ours()
	if got, err := protocol.Common(nil); got != protocol.Newest || err != nil {
		t.Errorf("alone: got %d, %v; want %d", got, err, protocol.Newest)
	}
	newer := protocol.Range{Min: ours.Max, Max: ours.Max + 5}
	if got, err := protocol.Common([]protocol.Range{newer, ours}); got != ours.Max || err != nil {
		t.Errorf("with a newer one: got %d, %v; want %d", got, err, ours.Max)
	}
	far := protocol.Range{Min: ours.Max + 1, Max: ours.Max + 1}
	if _, err := protocol.Common([]protocol.Range{ours, far}); !holdfast.Is(err, holdfast.Unsupported) {
		t.Errorf("with one too new: got %v, want Unsupported", err)
	}
}
