package record_test

import (
	"bytes"
	"testing"

	"holdfast"
	"holdfast/storage/record"
)

var magic = [4]byte{'T', 'E', 'S', 'T'}

func TestText(t *testing.T) {
	b := record.Text("claim", 1, record.Field{Key: "epoch", Value: "3"}, record.Field{Key: "note", Value: "two words"})
	if got, want := string(b), "claim 1\nepoch 3\nnote two words\n"; got != want {
		t.Fatalf("got %q, want %q", got, want)
	}
	values, err := record.ParseText(b, "claim", 1, "epoch", "note")
	if err != nil || values[0] != "3" || values[1] != "two words" {
		t.Errorf("got %q, %v", values, err)
	}
	for text, want := range map[string]holdfast.Kind{
		"":                                  holdfast.Corrupt,
		"claim 2\nepoch 3\nnote x\n":        holdfast.Unsupported,
		"claim 01\nepoch 3\nnote x\n":       holdfast.Corrupt,
		"claim 1\nepoch 3\nnote x":          holdfast.Corrupt,
		"claim 1\nepoch 3\n":                holdfast.Corrupt,
		"claim 1\nnote x\nepoch 3\n":        holdfast.Corrupt,
		"other 1\nepoch 3\nnote x\n":        holdfast.Corrupt,
		"claim 1\nepoch 3\nnote x\nmore \n": holdfast.Corrupt,
	} {
		if _, err := record.ParseText([]byte(text), "claim", 1, "epoch", "note"); !holdfast.Is(err, want) {
			t.Errorf("%q: got %v, want %v", text, err, want)
		}
	}
}

func TestUnsealRefusesEveryFlippedBit(t *testing.T) {
	b := record.Seal(magic, 1, []byte("payload"))
	if got, err := record.Unseal(append(bytes.Clone(b), "rest"...), magic, 1); err != nil || string(got) != "payload" {
		t.Fatalf("got %q, %v", got, err)
	}
	for i := range len(b) * 8 {
		bad := bytes.Clone(b)
		bad[i/8] ^= 1 << (i % 8)
		if _, err := record.Unseal(bad, magic, 1); !holdfast.Is(err, holdfast.Corrupt) {
			t.Fatalf("bit %d flipped: %v", i, err)
		}
	}
	for n := range b {
		if _, err := record.Unseal(b[:n], magic, 1); err == nil {
			t.Errorf("%d bytes of %d decode", n, len(b))
		}
	}
}

func FuzzUnseal(f *testing.F) {
	f.Add(record.Seal(magic, 1, []byte("payload")))
	f.Add([]byte("TEST\x01\x00\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		payload, err := record.Unseal(b, magic, 1)
		if err == nil && !bytes.HasPrefix(b, record.Seal(magic, 1, payload)) {
			t.Errorf("%x decodes but is not what encoding writes", b)
		}
	})
}

func FuzzParseText(f *testing.F) {
	f.Add([]byte("claim 1\nepoch 3\nnote x\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := record.ParseText(b, "claim", 1, "epoch", "note")
		if err != nil {
			return
		}
		again := record.Text("claim", 1, record.Field{Key: "epoch", Value: v[0]}, record.Field{Key: "note", Value: v[1]})
		if !bytes.Equal(again, b) {
			t.Errorf("%q decodes but encodes as %q", b, again)
		}
	})
}
