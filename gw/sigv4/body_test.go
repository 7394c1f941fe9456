package sigv4

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"holdfast/gw/checksum"
)

// open verifies r at docTime and wraps its body.
func open(t testing.TB, r *http.Request) *Body {
	t.Helper()
	res, err := at(docTime).Verify(r)
	if err != nil {
		t.Fatal(err)
	}
	want, err := checksum.FromHeader(r.Header)
	if err != nil {
		t.Fatal(err)
	}
	body, err := res.Body(r, want)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// upload signs a PUT with a plain body.
func upload(data, payloadHash string, headers ...string) *http.Request {
	r := request("PUT", "/key", docHost, headers...)
	Sign(r, Credentials{AccessKey: docKey, SecretKey: docSecret}, "us-east-1", docTime, payloadHash)
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(data)), int64(len(data))
	return r
}

// stream signs a PUT with a chunked body and returns what goes over the wire.
func stream(t testing.TB, data []byte, chunk int, mode Payload, algo checksum.Algorithm) (*http.Request, []byte) {
	t.Helper()
	r := request("PUT", "/key", docHost)
	st := Stream{Body: bytes.NewReader(data), Size: int64(len(data)), Chunk: chunk, Payload: mode, Checksum: algo}
	s := NewSigner(Credentials{AccessKey: docKey, SecretKey: docSecret}, "us-east-1")
	if err := s.SignStream(r, docTime, st); err != nil {
		t.Fatal(err)
	}
	wire, err := io.ReadAll(r.Body)
	if err != nil || int64(len(wire)) != r.ContentLength {
		t.Fatalf("encoded %d bytes, %v, announced %d", len(wire), err, r.ContentLength)
	}
	setWire(r, wire)
	return r, wire
}

func setWire(r *http.Request, wire []byte) {
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(wire)), int64(len(wire))
}

func hashOf(data string) string {
	sum := sha256.Sum256([]byte(data))
	return hex.EncodeToString(sum[:])
}

var modes = []struct {
	payload Payload
	algo    checksum.Algorithm
}{
	{PayloadChunked, checksum.None},
	{PayloadChunkedTrailer, checksum.CRC32}, {PayloadChunkedTrailer, checksum.CRC64NVME}, {PayloadChunkedTrailer, checksum.SHA256},
	{PayloadUnsignedTrailer, checksum.CRC32C}, {PayloadUnsignedTrailer, checksum.SHA1},
}

func TestStreamRoundTrip(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for _, m := range modes {
		for _, size := range []int{0, 1, 8191, 8192, 8193, 3 * 8192, rnd.IntN(300_000)} {
			data := make([]byte, size)
			for i := range data {
				data[i] = byte(rnd.Uint32())
			}
			r, wire := stream(t, data, 8192+rnd.IntN(3)*1000, m.payload, m.algo)
			for name, reader := range map[string]io.Reader{
				"whole": bytes.NewReader(wire), "halves": iotest.HalfReader(bytes.NewReader(wire)),
				"bytes": iotest.OneByteReader(bytes.NewReader(wire)), "data and EOF": iotest.DataErrReader(bytes.NewReader(wire)),
			} {
				r.Body = io.NopCloser(reader)
				body := open(t, r)
				got, err := io.ReadAll(body)
				if err != nil || !bytes.Equal(got, data) {
					t.Fatalf("mode %d, %v, %d bytes, %s: read %d, %v", m.payload, m.algo, size, name, len(got), err)
				}
				if body.Length() != int64(size) || body.Checksum().Algorithm() != m.algo {
					t.Fatalf("length %d, checksum %v", body.Length(), body.Checksum())
				}
				if n, err := body.Read(make([]byte, 1)); n != 0 || err != io.EOF {
					t.Fatalf("after the end: %d, %v", n, err)
				}
			}
		}
	}
}

// Wherever the stream is cut, the reader refuses it and hands out less than all.
func TestTruncatedStream(t *testing.T) {
	data := bytes.Repeat([]byte("x"), 9000)
	for _, m := range modes {
		r, wire := stream(t, data, 8192, m.payload, m.algo)
		for cut := 0; cut < len(wire); cut++ {
			if 200 < cut && cut < 8100 {
				cut = 8100 // inside the data of a chunk
			}
			setWire(r, wire[:cut])
			got, err := io.ReadAll(open(t, r))
			if cut >= len(wire)-4 { // only the blank line and a line end are missing
				continue
			}
			code := codeOf(err)
			if code != CodeIncompleteBody && code != CodeMalformedTrailer && code != CodeSignatureDoesNotMatch &&
				code != checksum.CodeInvalidRequest || len(got) == len(data) {
				t.Fatalf("mode %d cut at %d of %d: %d bytes, %v", m.payload, cut, len(wire), len(got), err)
			}
		}
	}
}

// Changing any byte of a signed stream is noticed, but for the case of a size's
// digits, line ends and the name of the trailer.
func TestTamperedStream(t *testing.T) {
	data := bytes.Repeat([]byte("x"), 9000)
	for _, m := range modes {
		r, wire := stream(t, data, 8192, m.payload, m.algo)
		for i := range wire {
			if 200 < i && i < 8100 && i%1000 != 0 {
				continue
			}
			changed := bytes.Clone(wire)
			changed[i] ^= 1
			setWire(r, changed)
			got, err := io.ReadAll(open(t, r))
			switch {
			case err == nil && !bytes.Equal(got, data):
				t.Fatalf("mode %d, byte %d (%q): wrong data passed", m.payload, i, wire[i])
			case err != nil && len(got) == len(data):
				t.Fatalf("mode %d, byte %d (%q): all data handed out before %v", m.payload, i, wire[i], err)
			case err == nil && wire[i] != '\r' && wire[i] != '\n':
				t.Fatalf("mode %d, byte %d (%q) changed unnoticed", m.payload, i, wire[i])
			}
		}
	}
}

func TestMalformedStreams(t *testing.T) {
	signed, trailer := streamVectors[0], streamVectors[1]
	good, goodTrailer := signed.body(), trailer.body()
	sig := ";chunk-signature=" + signed.chunks[0]
	cases := []struct {
		name string
		v    *streamVector
		body string
		code string
	}{
		{"empty", &signed, "", CodeIncompleteBody},
		{"no signature", &signed, "10000\r\n" + good[87:], CodeIncompleteBody},
		{"blank signature", &signed, strings.Replace(good, signed.chunks[0], " ", 1), CodeIncompleteBody},
		{"short signature", &signed, strings.Replace(good, signed.chunks[0], "00", 1), CodeSignatureDoesNotMatch},
		{"parameter before", &signed, strings.Replace(good, ";chunk", ";a=b;chunk", 1), CodeIncompleteBody},
		{"parameter behind", &signed, strings.Replace(good, signed.chunks[0], signed.chunks[0]+";a=b", 1), CodeIncompleteBody},
		{"wrong signature", &signed, strings.Replace(good, "=ad80", "=ad81", 1), CodeSignatureDoesNotMatch},
		{"wrong last signature", &signed, strings.Replace(good, "=b6c6", "=b6c7", 1), CodeSignatureDoesNotMatch},
		{"wrong data", &signed, strings.Replace(good, "aaa", "aab", 1), CodeSignatureDoesNotMatch},
		{"bare size", &signed, sig + "\r\n", CodeIncompleteBody},
		{"signed size", &signed, "-1" + sig + "\r\n", CodeIncompleteBody},
		{"0x", &signed, "0x10" + sig + "\r\n", CodeIncompleteBody},
		{"space", &signed, " 10000" + good[5:], CodeIncompleteBody},
		{"size overflows", &signed, "ffffffffffffffff" + sig + "\r\n", CodeIncompleteBody},
		{"size too long", &signed, "00000000000010000" + sig + "\r\n", CodeIncompleteBody},
		{"size beyond the length", &signed, "7fffffffffffffff" + sig + "\r\n", CodeIncompleteBody},
		{"endless header", &signed, strings.Repeat("1", 1<<20), CodeIncompleteBody},
		{"no line end behind data", &signed, strings.Replace(good, "a\r\n", "ab\r\n", 1), CodeIncompleteBody},
		{"ends early", &signed, "0;chunk-signature=" + signed.chunks[2] + "\r\n\r\n", CodeSignatureDoesNotMatch},
		{"chunk too many", &signed, strings.Replace(good, "0;chunk-signature="+signed.chunks[2], "1;chunk-signature="+signed.chunks[2], 1), CodeIncompleteBody},
		{"trailer not announced", &signed, good[:len(good)-2] + "x-amz-checksum-crc32c:sOO8/Q==\r\n\r\n", CodeMalformedTrailer},
		{"garbage behind", &signed, good + "GET / HTTP/1.1\r\n", CodeMalformedTrailer},
		{"no trailer", &trailer, strings.Replace(goodTrailer, trailer.trailer, "", 1), CodeMalformedTrailer},
		{"no trailer signature", &trailer, goodTrailer[:strings.Index(goodTrailer, "x-amz-trailer-s")] + "\r\n", CodeIncompleteBody},
		{"wrong trailer signature", &trailer, strings.Replace(goodTrailer, ":d81f", ":d82f", 1), CodeSignatureDoesNotMatch},
		{"changed trailer", &trailer, strings.Replace(goodTrailer, "sOO8", "sOO9", 1), CodeSignatureDoesNotMatch},
		{"trailer no checksum", &trailer, strings.Replace(goodTrailer, "sOO8/Q==", "sOO8", 1), CodeInvalidRequest},
		{"other trailer", &trailer, strings.Replace(goodTrailer, "crc32c:", "crc32:", 1), CodeMalformedTrailer},
		{"trailer without colon", &trailer, strings.Replace(goodTrailer, "crc32c:", "crc32c", 1), CodeMalformedTrailer},
		{"trailer twice", &trailer, strings.Replace(goodTrailer, "x-amz-checksum-crc32c:", "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-checksum-crc32c:", 1), CodeMalformedTrailer},
		{"trailer behind its signature", &trailer, goodTrailer + "x-amz-checksum-crc32c:sOO8/Q==\r\n", CodeMalformedTrailer},
		{"endless trailer line", &trailer, strings.Replace(goodTrailer, "sOO8", strings.Repeat("s", 1<<20), 1), CodeIncompleteBody},
		{"endless blank lines", &trailer, goodTrailer + strings.Repeat("\r\n", 1<<20), CodeMalformedTrailer},
	}
	for _, c := range cases {
		// The known length must not hide a failure from a reader of exactly it.
		body := open(t, c.v.request(c.body))
		_, err := io.ReadFull(body, make([]byte, 66560))
		if got := codeOf(err); got != c.code {
			t.Errorf("%s: got %v, want %s", c.name, err, c.code)
		}
		if _, again := body.Read(make([]byte, 1)); !errors.Is(again, err) {
			t.Errorf("%s: second error %v, first %v", c.name, again, err)
		}
	}
}

// Spaces in the header of a chunk are no part of it.
func TestSpacedChunkHeader(t *testing.T) {
	v := streamVectors[0]
	body := strings.ReplaceAll(v.body(), ";chunk-signature=", " ; chunk-signature = ")
	if _, err := io.ReadAll(open(t, v.request(body))); err != nil {
		t.Error(err)
	}
}

// A mode with trailers can do without one.
func TestNoTrailerAnnounced(t *testing.T) {
	for _, c := range []struct{ body, length, code, details string }{
		{"3\r\nabc\r\n0\r\n\r\n", "3", "", ""},
		{"3\r\nabc\r\n0\r\n", "3", "", ""},
		{"3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n", "3", CodeMalformedTrailer, ""},
		{"3\r\nabc\r\n", "3", CodeIncompleteBody, ""},
		{"3\nabc", "3", CodeIncompleteBody, ""},
		{"3\r\nabc\r\n0\r\n\r\n", "4", CodeIncompleteBody, "3 of 4"},
		{"6\r\nabcdef\r\n0\r\n\r\n", "3", CodeIncompleteBody, "6 of 3"},
		{"3\r\nabc\r\n3\r\nabc\r\n0\r\n\r\n", "6", CodeInvalidChunkSize, "3 in 2"},
	} {
		_, err := io.ReadAll(open(t, upload(c.body, StreamingUnsigned, "X-Amz-Decoded-Content-Length", c.length)))
		var e *Error
		details := ""
		switch errors.As(err, &e); {
		case e != nil && e.Detail("NumberBytesExpected") != "":
			details = e.Detail("NumberBytesProvided") + " of " + e.Detail("NumberBytesExpected")
		case e != nil && e.Code == CodeInvalidChunkSize:
			details = e.Detail("BadChunkSize") + " in " + e.Detail("Chunk")
		}
		if codeOf(err) != c.code || details != c.details {
			t.Errorf("%q: got %v, %q, want %q, %q", c.body, err, details, c.code, c.details)
		}
	}
}

// Blank lines around the trailer and bare line feeds, as SDKs write them.
func TestTrailerSpellings(t *testing.T) {
	v := streamVectors[1]
	for name, body := range map[string]string{
		"blank line before":  strings.Replace(v.body(), v.trailer, "\r\n"+v.trailer, 1),
		"LF CRLF":            strings.Replace(v.body(), "Q==\r\n", "Q==\n\r\n", 1),
		"no blank at end":    strings.TrimSuffix(v.body(), "\r\n"),
		"no line end at end": strings.TrimSuffix(v.body(), "\r\n\r\n"),
	} {
		if _, err := io.ReadAll(open(t, v.request(body))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnsignedStreams(t *testing.T) {
	sum := func(data string) string {
		h := checksum.CRC32.New()
		io.WriteString(h, data)
		return checksum.Sum(checksum.CRC32, h).String()
	}
	big := strings.Repeat("z", minChunk)
	hex8k := strconv.FormatInt(minChunk, 16)
	for _, c := range []struct{ name, body, length, code string }{
		{"good", "3\r\nabc\r\n0\r\nx-amz-checksum-crc32:" + sum("abc") + "\r\n\r\n", "3", ""},
		{"upper case", "3\r\nabc\r\n0\r\nX-Amz-Checksum-Crc32 : " + sum("abc") + " \r\n\r\n", "3", ""},
		{"two chunks", hex8k + "\r\n" + big + "\r\n3\r\nabc\r\n0\r\nx-amz-checksum-crc32:" + sum(big+"abc") + "\r\n\r\n", strconv.Itoa(minChunk + 3), ""},
		{"bad digest", "3\r\nabd\r\n0\r\nx-amz-checksum-crc32:" + sum("abc") + "\r\n\r\n", "3", checksum.CodeBadDigest},
		{"small chunk", "3\r\nabc\r\n3\r\nabc\r\n0\r\nx-amz-checksum-crc32:" + sum("abcabc") + "\r\n\r\n", "6", CodeInvalidChunkSize},
		{"longer", "3\r\nabc\r\n0\r\nx-amz-checksum-crc32:" + sum("abc") + "\r\n\r\n", "2", CodeIncompleteBody},
		{"shorter", "3\r\nabc\r\n0\r\nx-amz-checksum-crc32:" + sum("abc") + "\r\n\r\n", "4", CodeIncompleteBody},
		{"a signature", "3\r\nabc\r\n0\r\nx-amz-checksum-crc32:" + sum("abc") + "\r\nx-amz-trailer-signature:00\r\n\r\n", "3", CodeMalformedTrailer},
		{"no trailer", "3\r\nabc\r\n0\r\n\r\n", "3", CodeMalformedTrailer},
		{"extension", "3;chunk-signature=00\r\nabc\r\n0\r\n\r\n", "3", CodeIncompleteBody},
	} {
		r := upload(c.body, StreamingUnsigned, "X-Amz-Decoded-Content-Length", c.length, "X-Amz-Trailer", "x-amz-checksum-crc32")
		if _, err := io.ReadAll(open(t, r)); codeOf(err) != c.code {
			t.Errorf("%s: got %v, want %q", c.name, err, c.code)
		}
	}
}

func TestBodyRefusals(t *testing.T) {
	for _, c := range []struct {
		name, payload string
		headers       []string
		code          string
	}{
		{"no decoded length", StreamingPayload, nil, CodeMissingContentLength},
		{"bad decoded length", StreamingPayload, []string{"X-Amz-Decoded-Content-Length", "-1"}, CodeMissingContentLength},
		{"huge decoded length", StreamingPayload, []string{"X-Amz-Decoded-Content-Length", "9223372036854775808"}, CodeMissingContentLength},
		{"trailer of a plain body", UnsignedPayload, []string{"X-Amz-Trailer", "x-amz-checksum-crc32"}, CodeMalformedTrailer},
		{"trailer in another mode", StreamingPayload, []string{"X-Amz-Decoded-Content-Length", "1", "X-Amz-Trailer", "x-amz-checksum-crc32"}, CodeMalformedTrailer},
		{"unknown trailer", StreamingUnsigned, []string{"X-Amz-Decoded-Content-Length", "1", "X-Amz-Trailer", "x-amz-meta-a"}, checksum.CodeInvalidRequest},
	} {
		r := upload("x", c.payload, c.headers...)
		res, err := at(docTime).Verify(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := res.Body(r, checksum.Declared{}); codeOf(err) != c.code {
			t.Errorf("%s: got %v, want %s", c.name, err, c.code)
		}
	}
}

func TestPlainBodies(t *testing.T) {
	crc := "Y7xRxw==" // of another text
	for _, c := range []struct {
		name, data, payload string
		headers             []string
		code                string
	}{
		{"hash", "hello", hashOf("hello"), nil, ""},
		{"upper-case hash", "hello", strings.ToUpper(hashOf("hello")), nil, ""},
		{"hash of nothing", "", EmptyPayload, nil, ""},
		{"unsigned", "hello", UnsignedPayload, nil, ""},
		{"wrong hash", "hello", hashOf("hellO"), nil, CodeContentSHA256Mismatch},
		{"wrong hash of nothing", "", hashOf("x"), nil, CodeContentSHA256Mismatch},
		{"wrong checksum", "hello", UnsignedPayload, []string{"X-Amz-Checksum-Crc32", crc}, checksum.CodeBadDigest},
		{"good checksum", "123456789", hashOf("123456789"), []string{"X-Amz-Checksum-Crc32", "y/Q5Jg=="}, ""},
	} {
		r := upload(c.data, c.payload, c.headers...)
		body := open(t, r)
		got := make([]byte, len(c.data))
		_, err := io.ReadFull(body, got)
		if err == nil {
			_, err = body.Read(make([]byte, 1)) // an empty body fails here
			if err == io.EOF {
				err = nil
			}
		}
		if codeOf(err) != c.code || err == nil && string(got) != c.data {
			t.Errorf("%s: got %q, %v, want code %q", c.name, got, err, c.code)
		}
	}
}

func TestPlainBodyEndsEarlyOrBreaks(t *testing.T) {
	r := upload("hello", UnsignedPayload)
	r.ContentLength = 6
	if _, err := io.ReadAll(open(t, r)); codeOf(err) != CodeIncompleteBody || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("short body: %v", err)
	}
	broken := errors.New("connection reset")
	r = upload("hello", UnsignedPayload)
	r.Body = io.NopCloser(iotest.ErrReader(broken))
	var e *Error
	if _, err := io.ReadAll(open(t, r)); !errors.Is(err, broken) || errors.As(err, &e) {
		t.Errorf("broken connection: %v", err)
	}
	r = upload("hello", hashOf("hello"))
	r.ContentLength = -1
	if got, err := io.ReadAll(open(t, r)); err != nil || string(got) != "hello" {
		t.Errorf("unknown length: %q, %v", got, err)
	}
	r = upload("hellO", hashOf("hello"))
	r.ContentLength = -1
	if _, err := io.ReadAll(open(t, r)); codeOf(err) != CodeContentSHA256Mismatch {
		t.Errorf("unknown length, wrong hash: %v", err)
	}
}

// A source that never makes progress must not keep the reader for ever.
func TestStuckSource(t *testing.T) {
	r, _ := stream(t, make([]byte, 100), 8192, PayloadUnsignedTrailer, checksum.CRC32)
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader("64\r\n"), stuck{}))
	if _, err := io.ReadAll(open(t, r)); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("got %v, want %v", err, io.ErrNoProgress)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// An algorithm without a declared value is computed for the caller.
func TestComputedChecksum(t *testing.T) {
	r := upload("123456789", UnsignedPayload)
	res, err := at(docTime).Verify(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := res.Body(r, checksum.Declared{Algorithm: checksum.CRC64NVME})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, body); err != nil || body.Checksum().String() != "rosUhgp5mIg=" {
		t.Errorf("got %v, %v", body.Checksum(), err)
	}
	if err := body.Close(); err != nil {
		t.Error(err)
	}
}

func TestSignStreamRefuses(t *testing.T) {
	for _, st := range []Stream{
		{Payload: PayloadHash}, {Payload: PayloadChunked, Size: -1}, {Payload: PayloadChunked, Chunk: -1},
		{Payload: PayloadChunked, Checksum: checksum.CRC32}, {Payload: PayloadChunkedTrailer},
	} {
		st.Body = http.NoBody
		err := NewSigner(Credentials{}, "r").SignStream(request("PUT", "/", docHost), docTime, st)
		if !errors.Is(err, ErrStream) {
			t.Errorf("%+v: got %v", st, err)
		}
	}
	r := request("PUT", "/", docHost)
	st := Stream{Body: strings.NewReader("x"), Size: 2, Payload: PayloadChunked}
	if err := NewSigner(Credentials{}, "r").SignStream(r, docTime, st); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a body shorter than its size: %v", err)
	}
}

// A hash that the user of a presigned URL adds is checked, though not signed.
func TestPresignedWithHash(t *testing.T) {
	for _, c := range []struct{ data, hash, code string }{
		{"hello", hashOf("hello"), ""}, {"hellO", hashOf("hello"), CodeContentSHA256Mismatch}, {"hello", "junk", CodeContentSHA256Mismatch},
	} {
		r := request("PUT", "/key", docHost)
		r.RequestURI = ""
		NewSigner(Credentials{AccessKey: docKey, SecretKey: docSecret}, "us-east-1").Presign(r, docTime, MaxExpires)
		r = request("PUT", r.URL.RequestURI(), docHost, "X-Amz-Content-Sha256", c.hash)
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(c.data)), int64(len(c.data))
		if _, err := io.ReadAll(open(t, r)); codeOf(err) != c.code {
			t.Errorf("%+v: got %v", c, err)
		}
	}
}

func TestAnonymousBodies(t *testing.T) {
	const framed = "3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n"
	for _, c := range []struct{ payload, data, code string }{
		{"", "abc", ""}, {UnsignedPayload, "abc", ""}, {hashOf("abc"), "abc", ""}, {hashOf("abd"), "abc", CodeContentSHA256Mismatch},
		{StreamingUnsigned, framed, ""}, {StreamingUnsigned, strings.Replace(framed, "abc", "abd", 1), checksum.CodeBadDigest},
		{StreamingPayload, framed, CodeInvalidArgument}, {StreamingTrailer, framed, CodeInvalidArgument}, {"nonsense", "", CodeInvalidArgument},
	} {
		r := request("PUT", "/key", docHost, "X-Amz-Decoded-Content-Length", "3")
		if c.payload != "" {
			r.Header.Set("X-Amz-Content-Sha256", c.payload)
		}
		if c.payload == StreamingUnsigned {
			r.Header.Set("X-Amz-Trailer", "x-amz-checksum-crc32")
		}
		setWire(r, []byte(c.data))
		var got []byte
		res, err := Unsigned(r)
		if err == nil {
			var body *Body
			if body, err = res.Body(r, checksum.Declared{}); err == nil {
				got, err = io.ReadAll(body)
			}
		}
		if codeOf(err) != c.code || err == nil && string(got) != "abc" {
			t.Errorf("%q: got %q, %v, want code %q", c.payload, got, err, c.code)
		}
	}
}
