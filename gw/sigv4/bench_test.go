package sigv4

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"holdfast/gw/checksum"
)

// sdkGet is a GET as aws-sdk-go-v2 sends it.
func sdkGet() *http.Request {
	r := request("GET", "/bucket/some/key/of-usual-length.bin?x-id=GetObject", "127.0.0.1:9000",
		"User-Agent", "aws-sdk-go-v2/1.47.6 os/linux lang/go#1.26.8 md/GOOS#linux md/GOARCH#amd64 api/s3#1.114.7",
		"Accept-Encoding", "identity",
		"Amz-Sdk-Invocation-Id", "5e3a5a36-2bd2-4a9f-9c42-6d6ad5b1b7c1",
		"Amz-Sdk-Request", "attempt=1; max=3",
		"X-Amz-Checksum-Mode", "ENABLED")
	Sign(r, Credentials{AccessKey: docKey, SecretKey: docSecret}, "us-east-1", docTime, EmptyPayload)
	return r
}

func BenchmarkVerifyHeader(b *testing.B) {
	v, r := at(docTime), sdkGet()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyPresigned(b *testing.B) {
	v, r := at(docTime), request("GET", presignedVector, docHost)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	s, r := NewSigner(Credentials{AccessKey: docKey, SecretKey: docSecret}, "us-east-1"), sdkGet()
	b.ReportAllocs()
	for b.Loop() {
		s.Sign(r, docTime, EmptyPayload)
	}
}

func BenchmarkReadStream(b *testing.B) {
	data := make([]byte, 4<<20)
	buf := make([]byte, 256<<10)
	for _, m := range []struct {
		name    string
		payload Payload
		algo    checksum.Algorithm
	}{
		{"signed", PayloadChunked, checksum.None},
		{"signed+crc32c", PayloadChunkedTrailer, checksum.CRC32C},
		{"unsigned+crc32c", PayloadUnsignedTrailer, checksum.CRC32C},
		{"unsigned+crc64nvme", PayloadUnsignedTrailer, checksum.CRC64NVME},
	} {
		b.Run(m.name, func(b *testing.B) {
			r, wire := stream(b, data, DefaultChunk, m.payload, m.algo)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				setWire(r, wire)
				body := open(b, r)
				for {
					_, err := body.Read(buf)
					if err == io.EOF {
						break
					}
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// Verifying must stay cheap: every request pays for it.
func TestVerifyAllocations(t *testing.T) {
	v, r := at(docTime), sdkGet()
	const most, mostStream = 14, 40
	if n := testing.AllocsPerRun(100, func() { _, _ = v.Verify(r) }); n > most {
		t.Errorf("%v allocations a request, want at most %d", n, most)
	}
	r, wire := stream(t, bytes.Repeat([]byte("x"), 1<<20), DefaultChunk, PayloadChunked, checksum.None)
	buf := make([]byte, 64<<10)
	n := testing.AllocsPerRun(10, func() {
		setWire(r, wire)
		res, err := v.Verify(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := res.Body(r, checksum.Declared{})
		for err == nil {
			_, err = body.Read(buf)
		}
	})
	if n > mostStream {
		t.Errorf("%v allocations for a stream of 16 chunks, want at most %d", n, mostStream)
	}
}
