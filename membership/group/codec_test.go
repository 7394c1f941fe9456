package group_test

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"holdfast"
	"holdfast/membership/group"
	"holdfast/membership/protocol"
)

func fullMember() group.Member {
	return group.Member{
		Host: 0xa1, Run: 7, Address: "10.0.0.1:2530", Storages: []string{"stor1", "stor2"}, Load: 12,
		Speaks: protocol.Range{Min: 1, Max: 3},
	}
}

// The bytes of format 1 stay as they are.
func TestEncodings(t *testing.T) {
	got, err := fullMember().Encode()
	want := "\x01" + "\x00\x00\x00\x00\x00\x00\x00\xa1" + "\x00\x00\x00\x00\x00\x00\x00\x07" + "\x00\x01" + "\x00\x03" + "\x0c" +
		"\x0d10.0.0.1:2530" + "\x02" + "\x05stor1" + "\x05stor2"
	if err != nil || string(got) != want {
		t.Errorf("member: got %q, %v; want %q", got, err, want)
	}
	hints := group.EncodeHints([]group.Hint{{Service: 0x0800000000000001, Host: 0xa1, Epoch: 3}})
	want = "\x01" + "\x08\x00\x00\x00\x00\x00\x00\x01" + "\x00\x00\x00\x00\x00\x00\x00\xa1" + "\x00\x00\x00\x00\x00\x00\x00\x03"
	if string(hints) != want {
		t.Errorf("hints: got %q, want %q", hints, want)
	}
	keys := group.EncodeKeys([]group.Key{{0: 0xab}, {31: 1}})
	want = "gossip-keys 1\nab" + strings.Repeat("0", 62) + "\n" + strings.Repeat("0", 63) + "1\n"
	if string(keys) != want {
		t.Errorf("keys: got %q, want %q", keys, want)
	}
}

// What a later version appends is not in the way of this one.
func TestMemberMayGrow(t *testing.T) {
	b, err := fullMember().Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := group.ParseMember(append(b, "and more"...))
	if err != nil || !reflect.DeepEqual(got, fullMember()) {
		t.Errorf("got %+v, %v", got, err)
	}
	b[0] = 2
	if _, err := group.ParseMember(b); !holdfast.Is(err, holdfast.Unsupported) {
		t.Errorf("another format: got %v, want Unsupported", err)
	}
}

func TestMemberFitsItsLimit(t *testing.T) {
	m := fullMember()
	for {
		b, err := m.Encode()
		if holdfast.Is(err, holdfast.TooLarge) {
			break
		}
		if err != nil || len(b) > group.MaxMember {
			t.Fatalf("%d storages: %d bytes, %v", len(m.Storages), len(b), err)
		}
		if got, err := group.ParseMember(b); err != nil || !reflect.DeepEqual(got, m) {
			t.Fatalf("got %+v, %v; want %+v", got, err, m)
		}
		m.Storages = append(m.Storages, "x")
	}
}

func FuzzMember(f *testing.F) {
	b, err := fullMember().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:len(b)-1])
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := group.ParseMember(b)
		if err != nil {
			return
		}
		again, err := m.Encode()
		if err != nil || !bytes.HasPrefix(b, again) {
			t.Errorf("%q decodes, but encodes as %q, %v", b, again, err)
		}
	})
}

func FuzzHints(f *testing.F) {
	f.Add(group.EncodeHints([]group.Hint{{Service: 1, Host: 2, Epoch: 3}, {Service: 4}}))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		hints, err := group.ParseHints(b)
		if err == nil && !bytes.Equal(group.EncodeHints(hints), b) {
			t.Errorf("%q decodes, but encodes as %q", b, group.EncodeHints(hints))
		}
	})
}

func FuzzKeys(f *testing.F) {
	f.Add(group.EncodeKeys([]group.Key{group.NewKey(), group.NewKey()}))
	f.Add([]byte("gossip-keys 2\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		keys, err := group.ParseKeys(b)
		if err != nil {
			if len(b) > 40 && strings.Contains(err.Error(), string(b[20:])) {
				t.Errorf("the error shows the file: %v", err)
			}
			return
		}
		if len(keys) == 0 || len(keys) > group.MaxKeys || !slices.Equal(group.EncodeKeys(keys), b) {
			t.Errorf("%q decodes as %d keys, which encode as %q", b, len(keys), group.EncodeKeys(keys))
		}
	})
}
