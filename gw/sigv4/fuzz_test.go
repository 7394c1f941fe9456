package sigv4

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"holdfast/gw/checksum"
)

// referenceDecode decodes an unsigned stream that lies in memory whole, as plainly
// as the format allows.
func referenceDecode(wire []byte, length int) (data []byte, ok bool) {
	line := func() (string, bool) {
		l, rest, found := bytes.Cut(wire, []byte("\n"))
		if len(l) > maxFrameLine-1 {
			return "", false
		}
		wire = rest
		return string(bytes.TrimSuffix(l, []byte("\r"))), found
	}
	before := minChunk
	for {
		header, found := line()
		size, err := strconv.ParseUint(header, 16, 63)
		if !found || err != nil || len(header) > 16 || strings.ContainsAny(header, "_+") {
			return nil, false
		}
		if size == 0 {
			break
		}
		if before < minChunk || size > uint64(length-len(data)) || size > uint64(len(wire)) {
			return nil, false
		}
		data = append(data, wire[:size]...)
		wire = wire[size:]
		before = int(size)
		if end, found := line(); !found || end != "" {
			return nil, false
		}
	}
	if len(data) != length {
		return nil, false
	}
	var trailers []string
	for total, more := 0, true; more; {
		var l string
		lenBefore := len(wire)
		l, more = line()
		if total += len(l) + 2; lenBefore > 0 && !more && len(wire) > 0 || total > maxTrailer {
			return nil, false
		}
		if l != "" {
			trailers = append(trailers, l)
		}
	}
	if len(trailers) != 1 {
		return nil, false
	}
	name, value, _ := strings.Cut(trailers[0], ":")
	h := checksum.CRC32.New()
	h.Write(data)
	ok = strings.ToLower(strings.TrimSpace(name)) == "x-amz-checksum-crc32" &&
		strings.TrimSpace(value) == checksum.Sum(checksum.CRC32, h).String()
	return data, ok
}

func FuzzUnsignedStream(f *testing.F) {
	f.Add([]byte("3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n"), 3)
	f.Add([]byte("3\nabc\n0\nX-Amz-Checksum-Crc32: NSRBwg=="), 3)
	f.Add([]byte("0\r\n\r\nx-amz-checksum-crc32:AAAAAA==\n\r\n\r\n"), 0)
	f.Add([]byte("ffffffffffffffff\r\n"), 5)
	f.Add([]byte("3;chunk-signature=0\r\nabc\r\n0\r\n"), 3)
	f.Fuzz(func(t *testing.T, wire []byte, length int) {
		if length < 0 || length > 1<<20 {
			return
		}
		want, wantOK := referenceDecode(wire, length)
		for _, r := range []io.Reader{bytes.NewReader(wire), iotest.OneByteReader(bytes.NewReader(wire))} {
			b := &Body{length: int64(length), remaining: int64(length), algo: checksum.CRC32, sum: checksum.CRC32.New()}
			b.src = newChunkSource(r, PayloadUnsignedTrailer, chain{}, checksum.CRC32, int64(length))
			got, err := io.ReadAll(b)
			if (err == nil) != wantOK || wantOK && !bytes.Equal(got, want) {
				t.Fatalf("length %d: got %q, %v, want %q, %v", length, got, err, want, wantOK)
			}
			if code := codeOf(err); strings.HasPrefix(code, "other") {
				t.Fatal(err)
			}
		}
	})
}

// FuzzSignedStream checks that no stream but one with the published signatures
// gets through.
func FuzzSignedStream(f *testing.F) {
	for _, v := range streamVectors {
		body := v.body()
		f.Add([]byte(body[:100]), []byte(body[len(body)-300:]))
	}
	f.Fuzz(func(t *testing.T, head, tail []byte) {
		v := streamVectors[1]
		good := v.body()
		wire := string(head) + good[100:len(good)-300] + string(tail)
		got, err := io.ReadAll(open(t, v.request(wire)))
		if err == nil && string(got) != strings.Repeat("a", 66560) {
			t.Fatalf("accepted %d bytes of something else", len(got))
		}
		if code := codeOf(err); strings.HasPrefix(code, "other") {
			t.Fatal(err)
		}
	})
}
