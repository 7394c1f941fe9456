package gwtest

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
	"time"

	"holdfast/gw/checksum"
	"holdfast/gw/sigv4"
)

func testDigests(e *env) {
	e.sub("Content-MD5", func(e *env) {
		e.req("PUT", e.at("md5"), text("data"), header("Content-MD5", md5Base64("data"))).is(200)
		for value, code := range map[string]string{
			md5Base64("other"): "BadDigest", "junk": "InvalidDigest", "": "InvalidDigest",
			base64.StdEncoding.EncodeToString([]byte("short")): "InvalidDigest",
		} {
			e.req("PUT", e.at("never"), text("data"), header("Content-MD5", value)).fails(400, code)
		}
		e.req("PUT", e.at("never"), text("data"), header("Content-MD5", "junk")).fails(400, "InvalidDigest", "Content-MD5", "junk")
		e.absent("never")
	})
	e.sub("body hash", func(e *env) {
		e.req("PUT", e.at("never"), text("data"), signed(func(r *request) {
			e.signer.Sign(r.Request, time.Now(), strings.Repeat("0", 64))
		})).fails(400, "XAmzContentSHA256Mismatch")
		e.absent("never")
	})
	for _, a := range algorithms() {
		e.sub(a.name, func(e *env) { testChecksum(e, a) })
	}
	e.sub("refused", func(e *env) {
		crc := header("X-Amz-Checksum-Crc32", crc32Base64("data"))
		for name, opts := range map[string][]option{
			"two":                 {crc, header("X-Amz-Checksum-Sha1", algorithms()[3].base64([]byte("data")))},
			"no base64":           {header("X-Amz-Checksum-Crc32", "!!")},
			"another length":      {header("X-Amz-Checksum-Crc32", algorithms()[3].base64([]byte("data")))},
			"another algorithm":   {crc, header("X-Amz-Sdk-Checksum-Algorithm", "SHA256")},
			"an unknown one":      {header("X-Amz-Sdk-Checksum-Algorithm", "ROT13")},
			"announced, not sent": {header("X-Amz-Sdk-Checksum-Algorithm", "CRC32")},
		} {
			e.sub(name, func(e *env) {
				e.req("PUT", e.at("never"), append([]option{text("data")}, opts...)...).fails(400, "InvalidRequest")
				e.absent("never")
			})
		}
	})
}

// testChecksum sends a checksum in every way it can be sent, right and wrong, and reads it back.
func testChecksum(e *env, a algorithm) {
	data := pattern(200_001)
	sum := a.base64(data)
	other := a.base64([]byte("other"))
	shown := func(key string) {
		e.T.Helper()
		enabled := header("X-Amz-Checksum-Mode", "ENABLED")
		e.get(key, enabled).is(200).holds(data).has(a.header(), sum, "X-Amz-Checksum-Type", "FULL_OBJECT")
		e.req("HEAD", e.at(key), enabled).is(200).has(a.header(), sum, "X-Amz-Checksum-Type", "FULL_OBJECT")
		e.get(key).is(200).lacks(a.header(), "X-Amz-Checksum-Type")
		e.get(key, enabled, header("Range", "bytes=1-5")).is(206).lacks(a.header(), "X-Amz-Checksum-Type")
		all := header("Range", "bytes=0-") // the checksum is that of all bytes, however they were asked for
		e.get(key, enabled, all).is(206).holds(data).has(a.header(), sum, "X-Amz-Checksum-Type", "FULL_OBJECT")
		e.req("HEAD", e.at(key), enabled, all).is(206).has(a.header(), sum)
		e.get(key, header("X-Amz-Checksum-Mode", "on")).fails(400, "InvalidRequest", "Message", "Value for x-amz-checksum-mode header is invalid.")
		e.req("HEAD", e.at(key), header("X-Amz-Checksum-Mode", "on")).fails(400, "InvalidRequest")
	}
	for name, opts := range map[string][]option{
		"header": {body(data), header(a.header(), sum)}, "unsigned": {body(data), header(a.header(), sum), e.unsignedPayload()},
	} {
		e.req("PUT", e.at(name), opts...).is(200).has(a.header(), sum, "X-Amz-Checksum-Type", "FULL_OBJECT")
		shown(name)
	}
	e.req("PUT", e.at("never"), body(data), header(a.header(), other)).fails(400, "BadDigest")
	for _, name := range []string{"MD5X", map[bool]string{true: "SHA1", false: "SHA256"}[a.name == "Sha256"]} {
		e.req("PUT", e.at("never"), body(data), header(a.header(), sum), header("X-Amz-Sdk-Checksum-Algorithm", name)).fails(400, "InvalidRequest",
			"Message", "Value for x-amz-sdk-checksum-algorithm header is invalid.")
	}
	for name, payload := range map[string]sigv4.Payload{"signed trailer": sigv4.PayloadChunkedTrailer, "unsigned trailer": sigv4.PayloadUnsignedTrailer} {
		for _, size := range []int{0, 1, len(data)} {
			st := sigv4.Stream{Payload: payload, Checksum: checksum.FromName(a.header()), Chunk: 8192}
			want := a.base64(data[:size])
			e.req("PUT", e.at(name), e.stream(data[:size], st, nil)).is(200).has(a.header(), want)
		}
		shown(name)
		spoil := func(framed []byte) []byte {
			i := bytes.LastIndex(framed, []byte(":"+sum))
			if payload == sigv4.PayloadChunkedTrailer {
				return bytes.Replace(framed, []byte("x-amz-trailer-signature:"), []byte("x-amz-trailer-signature:0"), 1)
			}
			return append(append(bytes.Clone(framed[:i+1]), other...), framed[i+1+len(sum):]...)
		}
		st := sigv4.Stream{Payload: payload, Checksum: checksum.FromName(a.header())}
		got := e.req("PUT", e.at("never"), e.stream(data, st, spoil))
		if got.status/100 != 4 {
			e.Errorf("%s spoilt: %d %s", name, got.status, got.body)
		}
	}
	e.absent("never")
}

// stream sends data as aws-chunked; edit may change what goes over the wire.
func (c *client) stream(data []byte, st sigv4.Stream, edit func([]byte) []byte) option {
	return signed(func(r *request) {
		st.Body, st.Size = bytes.NewReader(data), int64(len(data))
		if err := c.signer.SignStream(r.Request, time.Now(), st); err != nil {
			panic(err) // a mistake of the test
		}
		if edit == nil {
			return
		}
		framed, err := io.ReadAll(r.Body)
		if err != nil {
			panic(err) // reading from memory
		}
		framed = edit(framed)
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(framed)), int64(len(framed))
	})
}

func testChunked(e *env) {
	data := pattern(300_000)
	plain := sigv4.Stream{Payload: sigv4.PayloadChunked}
	for _, size := range []int{0, 1, 8191, 8192, 8193, len(data)} {
		st := plain
		st.Chunk = 8192
		e.req("PUT", e.at("c"), header("Content-Encoding", "gzip"), e.stream(data[:size], st, nil)).is(200).has("ETag", `"`+md5Hex(string(data[:size]))+`"`)
		e.get("c").is(200).holds(data[:size]).has("Content-Encoding", "gzip")
	}
	// A stream may come without a Content-Length: it says itself how long the data is.
	e.req("PUT", e.at("te"), e.stream(data, plain, nil), func(r *request) {
		sign := r.sign
		r.sign = func(r *request) {
			sign(r)
			r.ContentLength = -1
		}
	}).is(200)
	e.get("te").is(200).holds(data)
	for name, c := range map[string]struct {
		edit func([]byte) []byte
		code []string // one of these
	}{
		"a byte of data changed": {func(b []byte) []byte { b[len(b)/2] ^= 1; return b }, []string{"SignatureDoesNotMatch"}},
		"a signature changed": {func(b []byte) []byte {
			i := bytes.Index(b, []byte("chunk-signature=")) + len("chunk-signature=")
			b[i] = "01"[b2i(b[i] == '0')]
			return b
		}, []string{"SignatureDoesNotMatch"}},
		"cut":            {func(b []byte) []byte { return b[:len(b)-200_000] }, []string{"IncompleteBody"}},
		"no last chunk":  {func(b []byte) []byte { return b[:bytes.LastIndex(b, []byte("0;chunk-signature"))] }, []string{"IncompleteBody"}},
		"no size":        {func(b []byte) []byte { return append([]byte("zz"), b...) }, []string{"InvalidRequest", "IncompleteBody", "InvalidChunkSizeError"}},
		"an absurd size": {func(b []byte) []byte { return append([]byte("ffffffffffffffffff"), b...) }, []string{"InvalidRequest", "IncompleteBody", "InvalidChunkSizeError"}},
		"not chunked":    {func([]byte) []byte { return []byte("just some text that is no chunk at all") }, []string{"InvalidRequest", "IncompleteBody", "InvalidChunkSizeError"}},
	} {
		e.sub(name, func(e *env) {
			a := e.req("PUT", e.at("never"), e.stream(data, plain, c.edit))
			for _, code := range c.code {
				if strings.Contains(string(a.body), "<Code>"+code+"</Code>") {
					a.fails(a.status, code)
					if a.status/100 != 4 {
						e.Errorf("status %d", a.status)
					}
					e.absent("never")
					return
				}
			}
			e.Errorf("got %d %s, want one of %q", a.status, a.body, c.code)
		})
	}
	e.sub("lengths", func(e *env) {
		for _, value := range []string{"", "x", "-1"} {
			e.req("PUT", e.at("never"), signed(func(r *request) {
				r.Header.Set("X-Amz-Decoded-Content-Length", value)
				r.Header.Set("Content-Encoding", "aws-chunked")
				e.signer.Sign(r.Request, time.Now(), sigv4.StreamingPayload)
			})).fails(411, "MissingContentLength")
		}
		e.absent("never")
	})
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
