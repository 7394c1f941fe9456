package sse

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"holdfast"
)

var testKey = Key(bytes.Repeat([]byte{7}, KeySize))

// sizes around the places where something changes.
var sizes = []int64{0, 1, 100, Payload - 1, Payload, Payload + 1, 2 * Payload, 2*Payload + 1, 5*Payload - 7}

func seeded(t testing.TB) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

func randomBytes(r *rand.Rand, n int64) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func encrypt(t testing.TB, part int, plain []byte) []byte {
	t.Helper()
	e, err := NewEncrypter(&testKey, part, bytes.NewReader(plain), int64(len(plain)))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	stored, err := io.ReadAll(e)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

// read decrypts a range in both ways, which must agree.
func read(stored []byte, parts []Part, off, n int64) ([]byte, error) {
	var got bytes.Buffer
	d, span, err := NewDecrypter(&testKey, parts, off, n, &got)
	if err != nil {
		return nil, err
	}
	end := min(span.Offset+span.Length, int64(len(stored)))
	section := stored[min(span.Offset, end):end]
	step := 1 + int(off%50_000) // pieces of any size
	for rest := section; len(rest) > 0 && err == nil; {
		piece := rest[:min(step, len(rest))]
		rest = rest[len(piece):]
		_, err = d.Write(piece)
	}
	if e := d.Close(); err == nil {
		err = e
	}
	r, e := NewReader(&testKey, parts, off, n, func(Span) io.Reader { return iotest.HalfReader(bytes.NewReader(section)) })
	if e != nil {
		return nil, e
	}
	defer r.Close()
	pulled, e := io.ReadAll(r)
	if (e == nil) != (err == nil) || !bytes.Equal(pulled, got.Bytes()) {
		return nil, fmt.Errorf("reader: %d bytes, %v; writer: %d bytes, %v", len(pulled), e, got.Len(), err)
	}
	return got.Bytes(), err
}

func TestSizes(t *testing.T) {
	for _, n := range append(sizes, 5<<30, MaxPlain) {
		stored := StoredSize(n)
		if got, err := PlainSize(stored); err != nil || got != n {
			t.Errorf("%d bytes are stored as %d, which hold %d, %v", n, stored, got, err)
		}
	}
	for _, stored := range []int64{-1, 1, Overhead, Chunk + 1, Chunk + Overhead, 1<<63 - 1} {
		if got, err := PlainSize(stored); !holdfast.Is(err, holdfast.Corrupt) {
			t.Errorf("%d stored bytes hold %d, %v; want corrupt", stored, got, err)
		}
	}
	if Chunk != 64<<10 || Payload+Overhead != Chunk {
		t.Error("chunks are not as long as the object server's sub-blocks")
	}
}

func TestAnyRange(t *testing.T) {
	r := seeded(t)
	for _, size := range sizes {
		plain := randomBytes(r, size)
		stored := encrypt(t, 0, plain)
		if int64(len(stored)) != StoredSize(size) {
			t.Fatalf("%d bytes are stored as %d, want %d", size, len(stored), StoredSize(size))
		}
		parts := []Part{{0, size}}
		for range 40 {
			off := r.Int64N(size + 1)
			n := r.Int64N(size - off + 1)
			got, err := read(stored, parts, off, n)
			if err != nil || !bytes.Equal(got, plain[off:off+n]) {
				t.Fatalf("size %d, [%d, +%d): %d bytes, %v", size, off, n, len(got), err)
			}
		}
		for _, bad := range [][2]int64{{-1, 1}, {0, size + 1}, {size, 1}, {size + 1, 0}, {0, -1}} {
			if _, err := read(stored, parts, bad[0], bad[1]); !holdfast.Is(err, holdfast.Invalid) {
				t.Errorf("size %d, [%d, +%d): %v, want invalid", size, bad[0], bad[1], err)
			}
		}
	}
}

func TestAnyRangeAcrossParts(t *testing.T) {
	r := seeded(t)
	var plain, stored []byte
	var parts []Part
	for i, size := range []int64{Payload, 3*Payload + 5, 0, 1, 2 * Payload, 777} {
		part := randomBytes(r, size)
		parts = append(parts, Part{10*i + 1, size})
		plain = append(plain, part...)
		stored = append(stored, encrypt(t, 10*i+1, part)...)
	}
	size := int64(len(plain))
	for range 300 {
		off := r.Int64N(size + 1)
		n := r.Int64N(size - off + 1)
		got, err := read(stored, parts, off, n)
		if err != nil || !bytes.Equal(got, plain[off:off+n]) {
			t.Fatalf("[%d, +%d): %d bytes, %v", off, n, len(got), err)
		}
	}
	_, span, err := NewDecrypter(&testKey, parts, Payload-1, 2, io.Discard)
	if want := (Span{0, 2 * Chunk}); err != nil || span != want {
		t.Errorf("two bytes on an edge of parts: %v, %v, want %v", span, err, want)
	}
}

func TestRangesTouchOnlyTheirChunks(t *testing.T) {
	size := int64(10 * Payload)
	for _, c := range []struct{ off, n, wantOff, wantLen int64 }{
		{0, 1, 0, Chunk}, {0, Payload, 0, Chunk}, {0, Payload + 1, 0, 2 * Chunk}, {Payload, 1, Chunk, Chunk},
		{5*Payload - 1, 2, 4 * Chunk, 2 * Chunk}, {size - 1, 1, 9 * Chunk, Chunk}, {0, 0, 0, 0},
	} {
		if got := StoredSpan(size, c.off, c.n); got != (Span{c.wantOff, c.wantLen}) {
			t.Errorf("[%d, +%d): %v", c.off, c.n, got)
		}
	}
}

func TestAnyFlippedBitIsFound(t *testing.T) {
	r := seeded(t)
	plain := randomBytes(r, 2*Payload+100)
	stored := encrypt(t, 0, plain)
	parts := []Part{{0, int64(len(plain))}}
	for range 300 {
		bit := r.IntN(len(stored) * 8)
		bad := bytes.Clone(stored)
		bad[bit/8] ^= 1 << (bit % 8)
		got, err := read(bad, parts, 0, int64(len(plain)))
		if !holdfast.Is(err, holdfast.Corrupt) {
			t.Fatalf("bit %d: %v, want corrupt", bit, err)
		}
		if good := bit / 8 / Chunk * Payload; len(got) > good || !bytes.Equal(got, plain[:len(got)]) {
			t.Fatalf("bit %d: %d bytes were given out, %d were good", bit, len(got), good)
		}
	}
}

func TestMovedChunksAreFound(t *testing.T) {
	r := seeded(t)
	plain := randomBytes(r, 4*Payload)
	one, other := encrypt(t, 1, plain), encrypt(t, 1, plain)
	cut := func(s []byte, i int) []byte { return s[i*Chunk : (i+1)*Chunk] }
	join := func(chunks ...[]byte) []byte { return bytes.Join(chunks, nil) }
	for name, bad := range map[string][]byte{
		"swapped":               join(cut(one, 1), cut(one, 0), cut(one, 2), cut(one, 3)),
		"repeated":              join(cut(one, 0), cut(one, 0), cut(one, 2), cut(one, 3)),
		"of another stream":     join(cut(one, 0), cut(other, 1), cut(one, 2), cut(one, 3)),
		"without the last":      one[:3*Chunk],
		"without the first":     one[Chunk:],
		"cut inside the last":   one[:len(one)-1],
		"salt of another":       join(cut(other, 0)[:saltSize], cut(one, 0)[saltSize:], one[Chunk:]),
		"swapped in the middle": join(cut(one, 0), cut(one, 2), cut(one, 1), cut(one, 3)),
	} {
		if got, err := read(bad, []Part{{1, 4 * Payload}}, 0, 4*Payload); !holdfast.Is(err, holdfast.Corrupt) {
			t.Errorf("%s: %d bytes, %v, want corrupt", name, len(got), err)
		}
	}
	for name, parts := range map[string][]Part{
		"shorter, at the edge of a chunk": {{1, 3 * Payload}},
		"longer":                          {{1, 4*Payload + 1}},
		"another part":                    {{2, 4 * Payload}},
		"two parts":                       {{1, 2 * Payload}, {1, 2 * Payload}},
	} {
		size := int64(0)
		for _, p := range parts {
			size += p.Size
		}
		if got, err := read(one, parts, 0, size); !holdfast.Is(err, holdfast.Corrupt) {
			t.Errorf("%s: %d bytes, %v, want corrupt", name, len(got), err)
		}
	}
	if _, err := read(one, []Part{{1, 4 * Payload}}, 0, 4*Payload); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

func TestSourcesOfUnknownSize(t *testing.T) {
	r := seeded(t)
	boom := errors.New("boom")
	for _, size := range sizes {
		plain := randomBytes(r, size)
		for name, src := range map[string]io.Reader{
			"whole": bytes.NewReader(plain), "halves": iotest.HalfReader(bytes.NewReader(plain)), "end with data": iotest.DataErrReader(bytes.NewReader(plain)),
		} {
			e, err := NewEncrypter(&testKey, 0, src, -1)
			if err != nil {
				t.Fatal(err)
			}
			stored, err := io.ReadAll(e)
			if err != nil || int64(len(stored)) != StoredSize(size) {
				t.Fatalf("%s, %d bytes: %d stored, %v", name, size, len(stored), err)
			}
			got, err := read(stored, []Part{{0, size}}, 0, size)
			if err != nil || !bytes.Equal(got, plain) {
				t.Fatalf("%s, %d bytes: read %d, %v", name, size, len(got), err)
			}
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		}
		e, err := NewEncrypter(&testKey, 0, io.MultiReader(bytes.NewReader(plain), iotest.ErrReader(boom)), -1)
		if err != nil {
			t.Fatal(err)
		}
		if stored, err := io.ReadAll(e); !errors.Is(err, boom) || size > 0 && int64(len(stored)) >= StoredSize(size) {
			t.Errorf("%d bytes and an error: %d stored, %v", size, len(stored), err)
		}
	}
}

func TestSourcesOfTheWrongSize(t *testing.T) {
	boom := errors.New("boom")
	for name, c := range map[string]struct {
		src  io.Reader
		size int64
		want error
	}{
		"too short":            {strings.NewReader("abc"), 4, io.ErrUnexpectedEOF},
		"too long":             {strings.NewReader("abc"), 2, io.ErrUnexpectedEOF},
		"not empty":            {strings.NewReader("abc"), 0, io.ErrUnexpectedEOF},
		"fails in the middle":  {io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(boom)), 5, boom},
		"fails at the end":     {io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(boom)), 3, boom},
		"fails after chunk":    {io.MultiReader(bytes.NewReader(make([]byte, Payload)), iotest.ErrReader(boom)), Payload, boom},
		"gives never anything": {io.MultiReader(strings.NewReader("abc"), stuck{}), 3, io.ErrNoProgress},
	} {
		e, err := NewEncrypter(&testKey, 0, c.src, c.size)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(e)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if _, e := PlainSize(int64(len(got))); len(got) > 0 && e == nil && int64(len(got)) == StoredSize(c.size) {
			t.Errorf("%s: a whole stream came out", name)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if n, err := e.Read(make([]byte, 1)); n > 0 || err == nil {
			t.Errorf("%s: can be read when closed", name)
		}
	}
	if _, err := NewEncrypter(&testKey, 0, nil, MaxPlain+1); !holdfast.Is(err, holdfast.TooLarge) {
		t.Errorf("too large: %v", err)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestTheSameBytesAreNeverSealedAlike(t *testing.T) {
	plain := make([]byte, 100)
	if bytes.Equal(encrypt(t, 0, plain), encrypt(t, 0, plain)) {
		t.Error("two streams are the same")
	}
}

func TestStoredStreamsStayReadable(t *testing.T) {
	stored, err := hex.DecodeString(goldenStream)
	if err != nil {
		t.Fatal(err)
	}
	got, err := read(stored, []Part{{3, 100}}, 0, 100)
	want := make([]byte, 100)
	for i := range want {
		want[i] = byte(i)
	}
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %x, %v", got, err)
	}
}

type vault struct{ sealed bool }

func (v *vault) Seal(secret, context []byte) ([]byte, error) {
	v.sealed = true
	return append([]byte("sealed for "+string(context)+" "), secret...), nil
}

func (v *vault) Open(sealed, context []byte) ([]byte, error) {
	secret, ok := bytes.CutPrefix(sealed, []byte("sealed for "+string(context)+" "))
	if !ok {
		return nil, holdfast.E("vault", holdfast.Corrupt, nil)
	}
	return secret, nil
}

func TestRecords(t *testing.T) {
	v := new(vault)
	key, record, err := NewManaged(v)
	if err != nil || !v.sealed {
		t.Fatal(err)
	}
	if m, err := record.Mode(); m != Managed || err != nil {
		t.Errorf("mode %v, %v", m, err)
	}
	if got, err := record.OpenManaged(v); err != nil || got != key {
		t.Errorf("another key came back: %v", err)
	}
	if _, err := record.OpenCustomer(&testKey); !holdfast.Is(err, holdfast.Corrupt) {
		t.Errorf("managed taken for a customer's: %v", err)
	}
	customer := Key(sha256.Sum256([]byte("client")))
	key, record, err = NewCustomer(&customer)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := record.Mode(); m != Customer || err != nil {
		t.Errorf("mode %v, %v", m, err)
	}
	if bytes.Contains(record, customer[:8]) || bytes.Contains(record, key[:8]) {
		t.Error("the record holds a key")
	}
	if got, err := record.OpenCustomer(&customer); err != nil || got != key {
		t.Errorf("another key came back: %v", err)
	}
	wrong := customer
	wrong[31] ^= 1
	if _, err := record.OpenCustomer(&wrong); !errors.Is(err, ErrWrongKey) || !holdfast.Is(err, holdfast.Denied) {
		t.Errorf("wrong key: %v", err)
	}
	for n := range record {
		if _, err := record[:n].OpenCustomer(&customer); err == nil {
			t.Errorf("cut to %d bytes: opened", n)
		}
	}
	if m, err := Record(nil).Mode(); m != None || err != nil {
		t.Errorf("no record: %v, %v", m, err)
	}
	for _, bad := range []Record{{1}, {0, 1}, {2, 1}, {1, 0}, {1, 3}} {
		if _, err := bad.Mode(); !holdfast.Is(err, holdfast.Corrupt) {
			t.Errorf("%x: %v, want corrupt", []byte(bad), err)
		}
	}
}

func TestKeysAreNotShown(t *testing.T) {
	if got := fmt.Sprintf("%v %s %+v %#v", testKey, testKey, testKey, testKey); strings.ContainsAny(got, "0123456789") {
		t.Errorf("shown: %s", got)
	}
}

func FuzzRecord(f *testing.F) {
	_, r, _ := NewCustomer(&testKey)
	f.Add([]byte(r))
	_, r, _ = NewManaged(new(vault))
	f.Add([]byte(r))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Record(data).Mode()
		if err != nil && m != None {
			t.Errorf("mode %v beside %v", m, err)
		}
		_, _ = Record(data).OpenManaged(new(vault))
		_, _ = Record(data).OpenCustomer(&testKey)
	})
}

func FuzzDecrypt(f *testing.F) {
	f.Add(encrypt(f, 0, []byte("hello")), int64(5), int64(1), int64(3))
	f.Add([]byte{}, int64(0), int64(0), int64(0))
	f.Fuzz(func(t *testing.T, stored []byte, size, off, n int64) {
		if size < 0 || size > 1<<20 || off < 0 || n < 0 {
			return
		}
		got, err := read(stored, []Part{{0, size}}, off, n)
		if err == nil && int64(len(got)) != n {
			t.Errorf("%d bytes without an error, want %d", len(got), n)
		}
		if err != nil && !holdfast.Is(err, holdfast.Corrupt) && !holdfast.Is(err, holdfast.Invalid) {
			t.Error(err)
		}
	})
}

const benchSize = 64 << 20

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func BenchmarkEncrypt(b *testing.B) {
	b.SetBytes(benchSize)
	b.ReportAllocs()
	buf := make([]byte, 1<<20)
	for b.Loop() {
		e, err := NewEncrypter(&testKey, 0, io.LimitReader(zeros{}, benchSize), benchSize)
		if err != nil {
			b.Fatal(err)
		}
		for err == nil {
			_, err = e.Read(buf)
		}
		if err != io.EOF {
			b.Fatal(err)
		}
		e.Close()
	}
}

func BenchmarkDecrypt(b *testing.B) {
	const size = 16 << 20
	stored := encrypt(b, 0, make([]byte, size))
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		d, _, err := NewDecrypter(&testKey, []Part{{0, size}}, 0, size, io.Discard)
		if err != nil {
			b.Fatal(err)
		}
		for rest := stored; len(rest) > 0; {
			n := min(len(rest), 1<<20)
			if _, err := d.Write(rest[:n]); err != nil {
				b.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := d.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSmallObject(b *testing.B) {
	plain := make([]byte, 4096)
	buf := make([]byte, 8192)
	b.ReportAllocs()
	for b.Loop() {
		e, err := NewEncrypter(&testKey, 0, bytes.NewReader(plain), int64(len(plain)))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(e, buf[:StoredSize(4096)]); err != nil {
			b.Fatal(err)
		}
		e.Close()
	}
}

// goldenStream is what an earlier build stored for the bytes 0 to 99 as part 3 under testKey.
const goldenStream = "22c863c588f2eaa27b263a00815b819fd5e9410dcadf4849206d5f39bb19ec79db6b5b04de284098743c18c9217d8a9dcb09ccb13087a63abf30bd4d9dffcdf47879fdaeda0161abd04fb89b0144420e1a706b89703a320d681979ea63d7fca4555d30dd00a3d6d6bc7f21f54724c387622413371c287fc8970be01ad041b14749f1cc46"
