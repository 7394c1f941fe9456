package gw

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"

	"holdfast"
	"holdfast/gw/keyring"
	"holdfast/gw/sse"
	"holdfast/volume"
)

const askManaged = "X-Amz-Server-Side-Encryption"

// plainText is content that would be recognised anywhere.
func plainText(n int) []byte { return bytes.Repeat([]byte("plain text "), n/11+1)[:n] }

// storedOf returns the entry of a key and the bytes that are stored for it.
func storedOf(t *testing.T, g *Gateway, key string) (holdfast.Entry, []byte) {
	t.Helper()
	b, err := g.volume.Bucket(t.Context(), "bucket")
	if err != nil {
		t.Fatal(err)
	}
	o, err := b.Open(t.Context(), key, volume.Version{})
	if err != nil {
		t.Fatal(err)
	}
	var stored bytes.Buffer
	if _, err := o.WriteStored(t.Context(), &stored, 0, sse.StoredSize(o.Entry().Size)); err != nil {
		t.Fatal(err)
	}
	return *o.Entry(), stored.Bytes()
}

func TestStoredBytesAreSealed(t *testing.T) {
	g := newTestGateway(t, nil)
	c := clientOf(t, serve(t, g))
	c.do("PUT", "/bucket", nil).is(200)
	c.do("PUT", "/bucket/k", plainText(200_000), askManaged, "AES256").is(200)
	entry, stored := storedOf(t, g, "k")
	if entry.Size != 200_000 || entry.Content.Link.Size != sse.StoredSize(200_000) {
		t.Errorf("size %d, stored %d", entry.Size, entry.Content.Link.Size)
	}
	if bytes.Contains(stored, []byte("plain")) || bytes.Contains(entry.Sealed, stored[:32]) {
		t.Error("what is stored can be read")
	}
	c.do("PUT", "/bucket/again", plainText(200_000), askManaged, "AES256").is(200)
	if _, other := storedOf(t, g, "again"); bytes.Equal(stored[16:100], other[16:100]) {
		t.Error("two objects are sealed alike")
	}
}

// TestTamperedBytesAreNotSent exchanges what is stored for something else that the object servers cannot tell from the real thing.
func TestTamperedBytesAreNotSent(t *testing.T) {
	g := newTestGateway(t, nil)
	c := clientOf(t, serve(t, g))
	c.do("PUT", "/bucket", nil).is(200)
	data := plainText(200_000)
	c.do("PUT", "/bucket/k", data, askManaged, "AES256").is(200)
	entry, stored := storedOf(t, g, "k")
	b, err := g.volume.Bucket(t.Context(), "bucket")
	if err != nil {
		t.Fatal(err)
	}
	put := func(stored []byte) {
		t.Helper()
		_, err := b.Put(t.Context(), "k", volume.PutRequest{
			Entry: holdfast.Entry{Sealed: entry.Sealed, Owner: entry.Owner}, Body: bytes.NewReader(stored), Size: int64(len(stored)),
			Finish: func(e *holdfast.Entry) error { e.Size, e.ETag = entry.Size, entry.ETag; return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	put(stored)
	if a := c.do("GET", "/bucket/k", nil).is(200); !bytes.Equal(a.body, data) {
		t.Error("put back as it was: another content")
	}
	flipped := func(at int) []byte {
		bad := bytes.Clone(stored)
		bad[at] ^= 1
		return bad
	}
	put(flipped(100))
	if a := c.do("GET", "/bucket/k", nil).fails(500, "InternalError"); bytes.Contains(a.body, []byte("plain")) {
		t.Errorf("got %s", a.body)
	}
	c.do("GET", "/bucket/k", nil, "Range", "bytes=150000-150009").is(206)
	put(flipped(sse.Chunk + 100))
	a, err := c.try("GET", "/bucket/k", nil)
	if err == nil || a == nil || len(a.body) > sse.Payload || !bytes.Equal(a.body, data[:len(a.body)]) {
		t.Errorf("the second chunk is bad: %v, want an answer that breaks off after the first", err)
	}
	put(append(bytes.Clone(stored[sse.Chunk:2*sse.Chunk]), append(bytes.Clone(stored[:sse.Chunk]), stored[2*sse.Chunk:]...)...))
	c.do("GET", "/bucket/k", nil).fails(500, "InternalError")
}

func TestEncryptByDefault(t *testing.T) {
	g := newTestGateway(t, func(o *Options) { o.Settings.Encrypt = true })
	c := clientOf(t, serve(t, g))
	c.do("PUT", "/bucket", nil).is(200)
	if a := c.do("GET", "/bucket?encryption", nil).is(200); !bytes.Contains(a.body, []byte("<SSEAlgorithm>AES256</SSEAlgorithm>")) {
		t.Errorf("got %s", a.body)
	}
	shown := func(want string) {
		t.Helper()
		if got := c.do("PUT", "/bucket/k", []byte("data")).is(200).Header.Get(askManaged); got != want {
			t.Errorf("put: got %q, want %q", got, want)
		}
		if got := c.do("GET", "/bucket/k", nil).is(200); got.Header.Get(askManaged) != want || string(got.body) != "data" {
			t.Errorf("get: got %q, %q, want %q", got.Header.Get(askManaged), got.body, want)
		}
	}
	shown("AES256")
	g.Reload(Settings{Region: testRegion})
	c.do("GET", "/bucket/k", nil).is(200)
	shown("")
	c.do("GET", "/bucket?encryption", nil).fails(404, "ServerSideEncryptionConfigurationNotFoundError")
}

// TestMasterKeys reads what one ring sealed with others.
func TestMasterKeys(t *testing.T) {
	v := openVolume(t, newServices())
	first, second := keyring.Generate(), keyring.Generate()
	client := func(lines string) *testClient {
		t.Helper()
		return clientOf(t, serve(t, newTestGateway(t, func(o *Options) {
			o.Volume, o.Keys = v, nil
			o.Accounts = newAccounts(t, v)
			o.Users, o.Credentials = o.Accounts, NewCredentials(o.Accounts)
			if lines != "" {
				ring, err := keyring.Parse([]byte(lines))
				if err != nil {
					t.Fatal(err)
				}
				o.Keys = ring
			}
		})))
	}
	c := client(first)
	c.do("PUT", "/bucket", nil).is(200)
	c.do("PUT", "/bucket/k", []byte("data"), askManaged, "AES256").is(200)
	if a := client(first+"\n"+second).do("GET", "/bucket/k", nil).is(200); string(a.body) != "data" {
		t.Errorf("after a rotation: got %q", a.body)
	}
	lost := client(second)
	lost.do("GET", "/bucket/k", nil).fails(503, "ServiceUnavailable")
	lost.do("PUT", "/bucket/new", []byte("data"), askManaged, "AES256").is(200)
	none := client("")
	none.do("GET", "/bucket/k", nil).fails(503, "ServiceUnavailable")
	none.do("PUT", "/bucket/never", []byte("data"), askManaged, "AES256").fails(501, "NotImplemented")
	none.do("PUT", "/bucket/plain", []byte("data")).is(200)
	none.do("GET", "/bucket/plain", nil).is(200)
	c.do("DELETE", "/bucket/k", nil).is(204)
}

func TestRecordThatCannotBeRead(t *testing.T) {
	g := newTestGateway(t, nil)
	c := clientOf(t, serve(t, g))
	c.do("PUT", "/bucket", nil).is(200)
	c.do("PUT", "/bucket/k", []byte("data"), askManaged, "AES256").is(200)
	entry, stored := storedOf(t, g, "k")
	b, err := g.volume.Bucket(t.Context(), "bucket")
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range [][]byte{{1}, {9, 1, 2}, {1, 9}, entry.Sealed[:len(entry.Sealed)-1]} {
		_, err := b.Put(t.Context(), "bad", volume.PutRequest{
			Entry: holdfast.Entry{Sealed: record, Owner: entry.Owner}, Body: bytes.NewReader(stored), Size: int64(len(stored)),
			Finish: func(e *holdfast.Entry) error { e.Size = 4; return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		c.do("GET", "/bucket/bad", nil).fails(500, "InternalError")
		c.do("HEAD", "/bucket/bad", nil).is(500)
	}
}

// discard is a response writer that counts.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkEncryption compares plain objects with encrypted ones, through the gateway on servers in memory.
func BenchmarkEncryption(b *testing.B) {
	g := newTestGateway(b, nil)
	c := clientOf(b, "http://bench.test")
	do := func(method, target string, data []byte, pairs ...string) {
		w := &discard{header: http.Header{}}
		r := c.request(method, target, data, pairs...)
		r.RequestURI = target
		g.ServeHTTP(w, r)
		if w.status != 200 {
			b.Fatal(w.status)
		}
	}
	do("PUT", "/bucket", nil)
	for _, size := range []int{4 << 10, 8 << 20} {
		data := plainText(size)
		for name, pairs := range map[string][]string{"plain": nil, "managed": {askManaged, "AES256"}} {
			target := fmt.Sprintf("/bucket/%s/%d", name, size)
			b.Run(fmt.Sprintf("put/%s/%d", name, size), func(b *testing.B) {
				b.SetBytes(int64(size))
				for b.Loop() {
					do("PUT", target, data, pairs...)
				}
			})
			do("PUT", target, data, pairs...)
			b.Run(fmt.Sprintf("get/%s/%d", name, size), func(b *testing.B) {
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					do("GET", target, nil)
				}
			})
		}
	}
}
