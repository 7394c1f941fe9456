package pool

import (
	"bytes"
	"encoding/hex"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"holdfast"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// golden compares b with a file of hex lines.
func golden(t *testing.T, name string, b []byte) []byte {
	t.Helper()
	path := "testdata/v1/" + name
	if *rewrite {
		if err := os.WriteFile(path, []byte(hex.Dump(b)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.Dump(b); got != string(want) {
		t.Errorf("%s changed:\ngot\n%s\nwant\n%s", name, got, want)
	}
	return b
}

var (
	goldenAddr   = Addr{Class: 5, File: 3, Block: 7}
	goldenHeader = Header{
		Object: holdfast.ObjectID{Epoch: 3, Counter: 99}, Home: 4095, Size: 300_000, Offset: 131072, Length: 100_000,
		Created: time.UnixMilli(1_700_000_000_123), Writer: 3, Sums: []uint32{0x11223344, 0xaabbccdd},
	}
)

func TestGoldenSystemBlock(t *testing.T) {
	g := newGeometry(holdfast.NewServiceID(holdfast.TypeObjectStore, 2), 0, 17, 0)
	b := golden(t, "system-block", g.encode())
	if got, err := decodeGeometry(b); err != nil || got != g {
		t.Errorf("decodeGeometry = %+v, %v, want %+v", got, err, g)
	}
}

func TestGoldenHeader(t *testing.T) {
	b := golden(t, "header", goldenHeader.appendTo(nil, goldenAddr, headerSlot(goldenAddr.Class)))
	got, found, err := decodeHeader(b, goldenAddr)
	if err != nil || !found || !reflect.DeepEqual(got, goldenHeader) {
		t.Errorf("decodeHeader = %+v, %v, %v, want %+v", got, found, err, goldenHeader)
	}
	for _, other := range []Addr{{5, 3, 8}, {5, 4, 7}, {4, 3, 7}} {
		if _, _, err := decodeHeader(b, other); !holdfast.Is(err, holdfast.Corrupt) {
			t.Errorf("a header found at %+v instead of %+v: %v, want Corrupt", other, goldenAddr, err)
		}
	}
}

func TestHeaderSlotsAreSmall(t *testing.T) {
	var got []string
	for c := range Class(Classes) {
		g := newGeometry(1, c, 1, 0)
		got = append(got, c.String())
		if share := float64(g.headerArea()) / float64(g.regionBytes()); share > 0.0156 {
			t.Errorf("headers of %v blocks take %.4f of a region", c, share)
		}
	}
	const want = "4KiB 8KiB 16KiB 32KiB 64KiB 128KiB 256KiB 512KiB 1MiB 2MiB 4MiB 8MiB"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("classes are %s, want %s", s, want)
	}
}

func TestFlippedBitsNeverDecode(t *testing.T) {
	b := goldenHeader.appendTo(nil, goldenAddr, headerSlot(goldenAddr.Class))
	used := headerFixed + 4*len(goldenHeader.Sums)
	for bit := range used * 8 {
		b[bit/8] ^= 1 << (bit % 8)
		if _, found, err := decodeHeader(b, goldenAddr); found && err == nil {
			t.Errorf("a header with bit %d flipped decodes", bit)
		}
		b[bit/8] ^= 1 << (bit % 8)
	}
	s := newGeometry(1, 3, 1, 0).encode()
	for bit := range systemUsed * 8 {
		s[bit/8] ^= 1 << (bit % 8)
		if _, err := decodeGeometry(s); err == nil {
			t.Errorf("a system block with bit %d flipped decodes", bit)
		}
		s[bit/8] ^= 1 << (bit % 8)
	}
}

func TestFileNames(t *testing.T) {
	for c := range Class(Classes) {
		name := fileName(c, 12)
		if class, epoch, ok := parseFileName(name); !ok || class != c || epoch != 12 {
			t.Errorf("parseFileName(%q) = %v, %v, %v", name, class, epoch, ok)
		}
	}
	for _, name := range []string{"", "4096", "4096.", "4096.0", "4096.01", "04096.1", "5000.1", "4096.1.tmp", "2048.1", "16777216.1", "4096.-1"} {
		if _, _, ok := parseFileName(name); ok {
			t.Errorf("parseFileName(%q) takes it", name)
		}
	}
}

func FuzzHeader(f *testing.F) {
	f.Add(goldenHeader.appendTo(nil, goldenAddr, headerSlot(goldenAddr.Class)))
	f.Add(make([]byte, 128))
	f.Add([]byte(headerMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, found, err := decodeHeader(b, goldenAddr)
		if err != nil || !found {
			return
		}
		again := h.appendTo(nil, goldenAddr, headerSlot(goldenAddr.Class))
		if used := headerFixed + 4*len(h.Sums); !bytes.Equal(again[:used], b[:used]) {
			t.Errorf("%x decodes to %+v, which encodes to %x", b, h, again)
		}
	})
}

func FuzzSystemBlock(f *testing.F) {
	f.Add(newGeometry(1, 3, 1, 0).encode())
	f.Add([]byte(systemMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		if g, err := decodeGeometry(b); err == nil && !bytes.Equal(g.encode()[:40], b[:40]) {
			t.Errorf("%x decodes to %+v", b, g)
		}
	})
}

func FuzzBits(f *testing.F) {
	f.Add([]byte{1, 2, 3})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		words := make([]uint64, 2)
		if ParseBits(words, b) && !bytes.Equal(AppendBits(nil, words), bytes.TrimRight(b, "\x00")) {
			t.Errorf("bits %x come back as %x", b, AppendBits(nil, words))
		}
	})
}
