package checksum

import (
	"bytes"
	"encoding/base64"
	"errors"
	"hash/crc64"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/minio/crc64nvme"
)

var all = []Algorithm{CRC32, CRC32C, CRC64NVME, SHA1, SHA256}

func sumOf(a Algorithm, p []byte) Value {
	h := a.New()
	h.Write(p)
	return Sum(a, h)
}

// newRand returns a random source whose seed a failing test prints.
func newRand(t testing.TB) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func randomBytes(r *rand.Rand, n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
}

// The values of "123456789" are the check values of the CRC catalogue and of
// RFC 3174 and FIPS 180 implementations.
func TestKnownAnswers(t *testing.T) {
	want := map[Algorithm]string{
		CRC32:     "y/Q5Jg==",
		CRC32C:    "4waSgw==",
		CRC64NVME: "rosUhgp5mIg=",
		SHA1:      "98O8HYCOBHMq32eZZczDTKeuNEE=",
		SHA256:    "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
	}
	for _, a := range all {
		v := sumOf(a, []byte("123456789"))
		if got := v.String(); got != want[a] {
			t.Errorf("%v: got %s, want %s", a, got, want[a])
		}
		back, err := Parse(a, want[a])
		if err != nil || back != v {
			t.Errorf("%v: Parse(%s) = %v, %v", a, want[a], back, err)
		}
		if raw, ok := ValueOf(a, v.Raw(), 0); !ok || raw != v {
			t.Errorf("%v: ValueOf(Raw()) = %v, %v", a, raw, ok)
		}
	}
}

func TestNames(t *testing.T) {
	for _, a := range all {
		if got, err := ParseAlgorithm(strings.ToLower(a.String())); got != a || err != nil {
			t.Errorf("ParseAlgorithm(%q) = %v, %v", a, got, err)
		}
		if got := FromName(strings.ToUpper(a.Header())); got != a {
			t.Errorf("FromName(%q) = %v, want %v", a.Header(), got, a)
		}
		if got := http.CanonicalHeaderKey(a.Header()); got != algorithms[a].key {
			t.Errorf("canonical key of %s is %s, table has %s", a.Header(), got, algorithms[a].key)
		}
		if got := a.New().Size(); got != a.Size() {
			t.Errorf("%v: hash of %d bytes, Size %d", a, got, a.Size())
		}
	}
	for _, name := range []string{"x-amz-checksum-mode", "x-amz-checksum-algorithm", "x-amz-checksum-", ""} {
		if got := FromName(name); got != None {
			t.Errorf("FromName(%q) = %v, want none", name, got)
		}
	}
	if _, err := ParseAlgorithm("MD5"); code(err) != CodeInvalidRequest {
		t.Errorf("ParseAlgorithm(MD5): %v", err)
	}
}

func TestCRC64AgainstStandardLibrary(t *testing.T) {
	r := newRand(t)
	table := crc64.MakeTable(crc64NVMEPoly)
	for n := range 200 {
		p := randomBytes(r, n)
		cut := 0
		if n > 0 {
			cut = r.IntN(n)
		}
		d := crc64nvme.New()
		d.Write(p[:cut])
		d.Write(p[cut:])
		if got, want := d.Sum64(), crc64.Checksum(p, table); got != want {
			t.Fatalf("%d bytes cut at %d: got %x, want %x", n, cut, got, want)
		}
	}
}

func TestCombineEqualsDirectComputation(t *testing.T) {
	r := newRand(t)
	for _, a := range []Algorithm{CRC32, CRC32C, CRC64NVME} {
		for range 50 {
			whole := a.New()
			var parts []Part
			for range 1 + r.IntN(12) {
				p := randomBytes(r, r.IntN(3)*r.IntN(5000)) // empty ones too
				whole.Write(p)
				parts = append(parts, Part{Value: sumOf(a, p), Length: int64(len(p))})
			}
			got, err := Combine(a, parts)
			if want := Sum(a, whole); err != nil || got != want {
				t.Fatalf("%v of %d parts: got %v, %v, want %v", a, len(parts), got, err, want)
			}
		}
	}
}

// A shift by more than 32 bits of length must not lose its high part.
func TestCombineHugeLengths(t *testing.T) {
	for _, a := range []Algorithm{CRC32, CRC32C, CRC64NVME} {
		f, _ := fieldOf(a)
		const half = uint64(5) << 40
		if got, want := f.shift(2*half), f.mul(f.shift(half), f.shift(half)); got != want {
			t.Errorf("%v: shift(2n) = %x, shift(n)² = %x", a, got, want)
		}
	}
}

func TestCombineAndComposeRefuse(t *testing.T) {
	crc, sha := sumOf(CRC32, nil), sumOf(SHA256, nil)
	composite, err := Compose(CRC32, []Value{crc})
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name string
		run  func() (Value, error)
		want error
	}{
		{"combine sha", func() (Value, error) { return Combine(SHA256, []Part{{sha, 0}}) }, ErrAlgorithm},
		{"combine nothing", func() (Value, error) { return Combine(CRC32, nil) }, ErrParts},
		{"combine another", func() (Value, error) { return Combine(CRC32, []Part{{sha, 0}}) }, ErrParts},
		{"combine composite", func() (Value, error) { return Combine(CRC32, []Part{{composite, 0}}) }, ErrParts},
		{"combine negative", func() (Value, error) { return Combine(CRC32, []Part{{crc, -1}}) }, ErrParts},
		{"combine too many", func() (Value, error) { return Combine(CRC32, make([]Part, MaxParts+1)) }, ErrParts},
		{"compose crc64", func() (Value, error) { return Compose(CRC64NVME, []Value{sumOf(CRC64NVME, nil)}) }, ErrAlgorithm},
		{"compose nothing", func() (Value, error) { return Compose(SHA1, nil) }, ErrParts},
		{"compose another", func() (Value, error) { return Compose(SHA1, []Value{sha}) }, ErrParts},
	}
	for _, c := range cases {
		if _, err := c.run(); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

func TestCompositeIsChecksumOfRawChecksums(t *testing.T) {
	for _, a := range []Algorithm{CRC32, CRC32C, SHA1, SHA256} {
		one, two := sumOf(a, []byte("first")), sumOf(a, []byte("second"))
		got, err := Compose(a, []Value{one, two})
		if err != nil {
			t.Fatal(err)
		}
		want := sumOf(a, append(one.Raw(), two.Raw()...)).String() + "-2"
		if got.String() != want || got.Type() != Composite || got.Parts() != 2 {
			t.Errorf("%v: got %v, want %s", a, got, want)
		}
		if back, err := ParseComposite(a, want); err != nil || back != got {
			t.Errorf("%v: ParseComposite(%s) = %v, %v", a, want, back, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	cases := []struct {
		a Algorithm
		s string
	}{
		{CRC32, ""}, {CRC32, "AAAA"}, {CRC32, "AAAAAA"}, {CRC32, "AAAAAAA="}, {CRC32, "AAAAAA=A"},
		{CRC32, "AAAAAB=="}, // spare bits
		{CRC32, "AAAA\nA=="}, {CRC32, "AA!AAA=="}, {CRC64NVME, "AAAAAA=="},
		{SHA1, "AAAAAA=="}, {SHA256, strings.Repeat("A", 44)}, {None, ""}, {Algorithm(99), "AAAA"},
	}
	for _, c := range cases {
		if _, err := Parse(c.a, c.s); code(err) != CodeInvalidRequest {
			t.Errorf("Parse(%v, %q): got %v", c.a, c.s, err)
		}
	}
	for _, suffix := range []string{"-", "-0", "-01", "--1", "-10001", "-x", "-1-1", "-99999999999999999999"} {
		if v, err := ParseComposite(CRC32, "AAAAAA=="+suffix); code(err) != CodeInvalidRequest {
			t.Errorf("ParseComposite(%q) = %v, %v", suffix, v, err)
		}
	}
}

func TestFromHeader(t *testing.T) {
	crc := sumOf(CRC32, []byte("x"))
	cases := []struct {
		name   string
		header []string
		want   Declared
		code   string
	}{
		{"none", nil, Declared{}, ""},
		{"mode is no checksum", []string{"X-Amz-Checksum-Mode", "ENABLED", "X-Amz-Checksum-Algorithm", "CRC32"}, Declared{}, ""},
		{"value", []string{"X-Amz-Checksum-Crc32", crc.String()}, Declared{Algorithm: CRC32, Value: crc}, ""},
		{"announced value", []string{"X-Amz-Checksum-Crc32", crc.String(), "X-Amz-Sdk-Checksum-Algorithm", "crc32"}, Declared{Algorithm: CRC32, Value: crc}, ""},
		{"trailer", []string{"X-Amz-Trailer", "X-Amz-Checksum-Sha1"}, Declared{Algorithm: SHA1, Trailer: true}, ""},
		{"trailer in a list", []string{"X-Amz-Trailer", " , x-amz-checksum-sha1 ,"}, Declared{Algorithm: SHA1, Trailer: true}, ""},
		{"announced trailer", []string{"X-Amz-Trailer", "x-amz-checksum-sha1", "X-Amz-Sdk-Checksum-Algorithm", "SHA1"}, Declared{Algorithm: SHA1, Trailer: true}, ""},
		{"two algorithms", []string{"X-Amz-Checksum-Crc32", crc.String(), "X-Amz-Checksum-Crc32c", "AAAAAA=="}, Declared{}, CodeInvalidRequest},
		{"one twice", []string{"X-Amz-Checksum-Crc32", crc.String(), "X-Amz-Checksum-Crc32", crc.String()}, Declared{}, CodeInvalidRequest},
		{"value and trailer", []string{"X-Amz-Checksum-Crc32", crc.String(), "X-Amz-Trailer", "x-amz-checksum-crc32"}, Declared{}, CodeInvalidRequest},
		{"two trailers", []string{"X-Amz-Trailer", "x-amz-checksum-crc32,x-amz-checksum-sha1"}, Declared{}, CodeInvalidRequest},
		{"other trailer", []string{"X-Amz-Trailer", "x-amz-meta-a"}, Declared{}, CodeInvalidRequest},
		{"bad value", []string{"X-Amz-Checksum-Crc32", "AAAA"}, Declared{}, CodeInvalidRequest},
		{"announced only", []string{"X-Amz-Sdk-Checksum-Algorithm", "CRC32"}, Declared{}, CodeInvalidRequest},
		{"announced other", []string{"X-Amz-Checksum-Crc32", crc.String(), "X-Amz-Sdk-Checksum-Algorithm", "SHA1"}, Declared{}, CodeInvalidRequest},
		{"unknown", []string{"X-Amz-Checksum-Sha512", "AAAA"}, Declared{}, CodeInvalidRequest},
		{"announced unknown", []string{"X-Amz-Sdk-Checksum-Algorithm", "MD5"}, Declared{}, CodeInvalidRequest},
	}
	for _, c := range cases {
		h := http.Header{}
		for i := 0; i < len(c.header); i += 2 {
			h.Add(c.header[i], c.header[i+1])
		}
		got, err := FromHeader(h)
		if code(err) != c.code || err == nil && got != c.want {
			t.Errorf("%s: got %+v, %v, want %+v, code %q", c.name, got, err, c.want, c.code)
		}
	}
}

func TestCheck(t *testing.T) {
	a, b := sumOf(SHA1, []byte("a")), sumOf(SHA1, []byte("b"))
	if err := a.Check(a); err != nil {
		t.Errorf("equal values: %v", err)
	}
	if err := a.Check(b); code(err) != CodeBadDigest {
		t.Errorf("different values: %v", err)
	}
	if err := sumOf(CRC32, nil).Check(sumOf(CRC32C, nil)); code(err) != CodeBadDigest {
		t.Errorf("different algorithms of equal bytes: %v", err)
	}
}

func TestContentMD5(t *testing.T) {
	sum, err := ParseContentMD5("1B2M2Y8AsgTpgAmY7PhCfg==") // of nothing
	if err != nil {
		t.Fatal(err)
	}
	if err := sum.Check(sum); err != nil {
		t.Errorf("equal digests: %v", err)
	}
	if err := sum.Check(MD5{}); code(err) != CodeBadDigest {
		t.Errorf("different digests: %v", err)
	}
	for _, s := range []string{"", "x", "1B2M2Y8AsgTpgAmY7PhCfg=", "AAAA", "d41d8cd98f00b204e9800998ecf8427e"} {
		if _, err := ParseContentMD5(s); code(err) != CodeInvalidDigest {
			t.Errorf("ParseContentMD5(%q): %v", s, err)
		}
	}
}

func TestTypes(t *testing.T) {
	for _, typ := range []Type{FullObject, Composite} {
		if got, err := ParseType(typ.String()); got != typ || err != nil {
			t.Errorf("ParseType(%v) = %v, %v", typ, got, err)
		}
	}
	if _, err := ParseType("HALF"); code(err) != CodeInvalidRequest {
		t.Errorf("ParseType(HALF): %v", err)
	}
	for _, a := range all {
		if !a.Allows(a.DefaultType()) {
			t.Errorf("%v does not allow its default type", a)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(uint8(CRC32), "y/Q5Jg==-3")
	f.Add(uint8(CRC64NVME), "rosUhgp5mIg=")
	f.Add(uint8(SHA256), "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=")
	f.Add(uint8(77), "-")
	f.Fuzz(func(t *testing.T, a uint8, s string) {
		v, err := ParseComposite(Algorithm(a), s)
		if err != nil {
			return
		}
		if v.String() != s {
			t.Errorf("parsed %q, prints %q", s, v)
		}
		if raw, _ := base64.StdEncoding.DecodeString(strings.Split(s, "-")[0]); !bytes.Equal(raw, v.Raw()) {
			t.Errorf("raw of %q: got %x, want %x", s, v.Raw(), raw)
		}
	})
}

func code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func BenchmarkSum(b *testing.B) {
	p := make([]byte, 1<<20)
	for _, a := range all {
		b.Run(a.String(), func(b *testing.B) {
			h := a.New()
			b.SetBytes(int64(len(p)))
			for b.Loop() {
				h.Write(p)
			}
		})
	}
}

func BenchmarkCombine10000(b *testing.B) {
	parts := make([]Part, MaxParts)
	for i := range parts {
		parts[i] = Part{Value: sumOf(CRC64NVME, []byte{byte(i)}), Length: 8 << 20}
	}
	for b.Loop() {
		if _, err := Combine(CRC64NVME, parts); err != nil {
			b.Fatal(err)
		}
	}
}
