package bench

import (
	"math"
	"strings"
	"testing"
)

func TestParseBytes(t *testing.T) {
	good := map[string]int64{"0": 0, "17": 17, "4KiB": 4096, "4kib": 4096, "4K": 4096, "1.5MiB": 3 << 19, "2MB": 2e6, "5TiB": 5 << 40, "9B": 9}
	for text, want := range good {
		if got, err := parseBytes(text); err != nil || got != want {
			t.Errorf("parseBytes(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "KiB", "-1", "1.3", "1e30", "NaN", "Inf", "4 KiB", "0x10"} {
		if got, err := parseBytes(text); err == nil {
			t.Errorf("parseBytes(%q) = %d, want an error", text, got)
		}
	}
}

// TestSizesFollowTheDistribution counts what a weighted and a log-uniform
// distribution give.
func TestSizesFollowTheDistribution(t *testing.T) {
	weighted, err := parseSizes("4KiB:70,64KiB:20,1MiB:10")
	if err != nil {
		t.Fatal(err)
	}
	ranged, err := parseSizes("1KiB-1MiB")
	if err != nil {
		t.Fatal(err)
	}
	const n = 20000
	seen := map[int64]float64{}
	octaves := make([]float64, 11)
	for i := range uint64(n) {
		seen[weighted.of(1, i)]++
		size := ranged.of(1, i)
		if size < 1<<10 || size > 1<<20 {
			t.Fatalf("size %d is outside 1KiB-1MiB", size)
		}
		octaves[int(math.Log2(float64(size)))-10]++
		if again := ranged.of(1, i); again != size {
			t.Fatalf("object %d has %d bytes, then %d", i, size, again)
		}
	}
	for size, share := range map[int64]float64{4 << 10: 0.7, 64 << 10: 0.2, 1 << 20: 0.1} {
		if math.Abs(seen[size]/n-share) > 0.02 {
			t.Errorf("%.3f of the objects have %d bytes, want %.2f", seen[size]/n, size, share)
		}
	}
	for i, c := range octaves[:10] {
		if math.Abs(c/n-0.1) > 0.02 {
			t.Errorf("%.3f of the sizes lie in the octave of 2^%d, want 0.1", c/n, i+10)
		}
	}
}

func FuzzParseSizes(f *testing.F) {
	for _, s := range []string{"4KiB", "1KiB-1MiB", "4KiB:70,64KiB-1MiB:30", "0:1e308,1:1e308", "5TiB"} {
		f.Add(s, uint64(1))
	}
	f.Fuzz(func(t *testing.T, text string, index uint64) {
		s, err := parseSizes(text)
		if err != nil {
			return
		}
		if n := s.of(1, index); n < 0 || n > s.max() || s.max() > maxObject {
			t.Errorf("%q: object %d has %d bytes, largest %d", text, index, n, s.max())
		}
	})
}

func FuzzErrorDocument(f *testing.F) {
	f.Add([]byte("<Error><Code>NoSuchKey</Code><Message>a &lt; b</Message></Error>"))
	f.Add([]byte("<Code></Code><Message>"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		if e := parseS3Error(400, doc); len(e.code) > 64 || len(e.message) > 256 {
			t.Errorf("unbounded: %d and %d bytes", len(e.code), len(e.message))
		}
	})
}

func TestNamesAreDistinctAndEscaped(t *testing.T) {
	for _, layout := range []string{"flat", "dirs:7"} {
		k, err := newKeyspace("a b/<&>/", layout, 3)
		if err != nil {
			t.Fatal(err)
		}
		seen, dirs := map[string]bool{}, map[string]bool{}
		for i := range uint64(5000) {
			name := k.name(i)
			seen[name] = true
			dirs[name[:strings.LastIndexByte(name, '/')]] = true
			if unescapeXML(string(k.appendXML(nil, i))) != name {
				t.Fatalf("%s: XML name %q does not unescape to %q", layout, k.appendXML(nil, i), name)
			}
		}
		want := map[string]int{"flat": 1, "dirs:7": 7}[layout]
		if len(seen) != 5000 || len(dirs) != want {
			t.Errorf("%s: %d names in %d directories, want 5000 in %d", layout, len(seen), len(dirs), want)
		}
	}
	k, _ := newKeyspace("a b/", "flat", 3)
	if got := string(k.appendPath(nil, 1)); !strings.HasPrefix(got, "a%20b/") {
		t.Errorf("path %q, want it to begin with a%%20b/", got)
	}
}
