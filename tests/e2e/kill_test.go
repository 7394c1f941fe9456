package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// dialTo connects to one address whatever was asked for.
func dialTo(address string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, address)
	}
}

// ledger remembers, per key, what a reader may see: the last acknowledged state and the states of requests whose
// outcome the client never learned.
type ledger struct {
	mu    sync.Mutex
	acked map[string]state
	maybe map[string][]state
}

// state is the seed of an object's body; absent if there is none.
type state struct {
	seed   uint64
	size   int
	exists bool
}

func (l *ledger) begin(key string, s state) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.maybe[key] = append(l.maybe[key], s)
}

// done records an acknowledged change: nothing older can be seen any more. Each key has one writer.
func (l *ledger) done(key string, s state) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acked[key] = s
	delete(l.maybe, key)
}

// TestKillUnderLoad kills the server in the middle of puts, multipart uploads and deletes, again and again, and then
// checks that every acknowledged change is there, byte for byte, and that no other one is half there.
func TestKillUnderLoad(t *testing.T) {
	rounds := 4
	if os.Getenv("HOLDFAST_LONG") != "" {
		rounds = 40
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	s := newServer(t)
	ctx := context.Background()
	if _, err := s.sdk().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("kill")}); err != nil {
		t.Fatal(err)
	}
	l := &ledger{acked: map[string]state{}, maybe: map[string][]state{}}
	for range rounds {
		round(t, s, l, rng)
		l.verify(t, s)
	}
	s.stop(t)
	s.fsck(t)
}

// round runs writers for a random while, kills the server in the middle of their requests and starts it again.
func round(t *testing.T, s *server, l *ledger, rng *rand.Rand) {
	t.Helper()
	const writers = 6
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var wg sync.WaitGroup
	for w := range writers {
		wg.Add(1)
		go func(rng *rand.Rand) {
			defer wg.Done()
			c := s.sdk()
			for ctx.Err() == nil {
				change(ctx, c, l, fmt.Sprintf("w%d/d%d/k%d", w, rng.IntN(3), rng.IntN(8)), rng)
			}
		}(rand.New(rand.NewPCG(rng.Uint64(), uint64(w))))
	}
	<-time.After(time.Duration(300+rng.IntN(700)) * time.Millisecond) // any moment is a good one to die
	s.kill(t)
	cancel()
	wg.Wait()
	s.start(t)
}

// change makes one random change of a key and tells the ledger.
func change(ctx context.Context, c *s3.Client, l *ledger, key string, rng *rand.Rand) {
	bucket := aws.String("kill")
	want := state{seed: rng.Uint64(), size: rng.IntN(200 * kib), exists: true}
	var err error
	switch rng.IntN(6) {
	case 0:
		want = state{}
		l.begin(key, want)
		_, err = c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: &key})
	case 1:
		want.size += 5 * mib
		l.begin(key, want)
		err = putParts(ctx, c, key, body(want.size, want.seed))
	default:
		l.begin(key, want)
		_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: &key, Body: bytes.NewReader(body(want.size, want.seed))})
	}
	if err == nil {
		l.done(key, want)
	}
}

func putParts(ctx context.Context, c *s3.Client, key string, data []byte) error {
	bucket := aws.String("kill")
	up, err := c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: &key})
	if err != nil {
		return err
	}
	var parts []types.CompletedPart
	for n := int32(1); len(data) > 0; n++ {
		size := min(len(data), 5*mib)
		part, err := c.UploadPart(ctx, &s3.UploadPartInput{Bucket: bucket, Key: &key, UploadId: up.UploadId, PartNumber: &n, Body: bytes.NewReader(data[:size])})
		if err != nil {
			return err
		}
		parts = append(parts, types.CompletedPart{PartNumber: aws.Int32(n), ETag: part.ETag})
		data = data[size:]
	}
	_, err = c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: bucket, Key: &key, UploadId: up.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
	return err
}

// verify compares every key with what it may hold, and the listing with the keys.
func (l *ledger) verify(t *testing.T, s *server) {
	t.Helper()
	c, ctx := s.sdk(), context.Background()
	listed := map[string]bool{}
	pages := s3.NewListObjectsV2Paginator(c, &s3.ListObjectsV2Input{Bucket: aws.String("kill")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Contents {
			listed[*o.Key] = true
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	keys := map[string]bool{}
	for k := range l.acked {
		keys[k] = true
	}
	for k := range l.maybe {
		keys[k] = true
	}
	for k := range listed {
		if !keys[k] {
			t.Errorf("%s is listed and was never written", k)
		}
	}
	for key := range keys {
		got, err := read(ctx, c, key)
		if err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		if listed[key] != (got != nil) {
			t.Errorf("%s: listed %v, readable %v", key, listed[key], got != nil)
		}
		seen, ok := match(got, append(l.maybe[key], l.acked[key]))
		if !ok {
			t.Errorf("%s: read %d bytes that are neither the acknowledged state nor one of %d uncertain ones", key, len(got), len(l.maybe[key]))
		}
		l.acked[key] = seen
		delete(l.maybe, key) // what was read once is settled
	}
}

// match finds the state that the bytes are of.
func match(got []byte, allowed []state) (state, bool) {
	for _, s := range allowed {
		if s.exists == (got != nil) && (!s.exists || bytes.Equal(got, body(s.size, s.seed))) {
			return s, true
		}
	}
	return state{}, false
}

// read returns the bytes of a key, nil if there is no such key.
func read(ctx context.Context, c *s3.Client, key string) ([]byte, error) {
	o, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("kill"), Key: &key})
	if err != nil {
		if errorCode(err) == "NoSuchKey" {
			return nil, nil
		}
		return nil, err
	}
	defer o.Body.Close()
	data, err := io.ReadAll(o.Body)
	if data == nil {
		data = []byte{}
	}
	return data, err
}

// TestSecondProcessIsRefused starts a second server on the directory of a running one.
func TestSecondProcessIsRefused(t *testing.T) {
	s := newServer(t)
	c := newClient(t, s)
	out, err := c.tryBinary("server", "--data", s.data, "--s3-address", freeAddress(t), "--metrics-address", freeAddress(t))
	if err == nil {
		t.Fatalf("a second server started: %s", out)
	}
	if want := fmt.Sprint(s.cmd.Process.Pid); !bytes.Contains([]byte(out), []byte(want)) {
		t.Errorf("got %q, want a message that names pid %s", out, want)
	}
}

// TestCleanRestartKeepsEverything stops and starts a server and checks that the second start finds all and is quick.
func TestCleanRestartKeepsEverything(t *testing.T) {
	s := newServer(t)
	c, ctx := s.sdk(), context.Background()
	if _, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("kill")}); err != nil {
		t.Fatal(err)
	}
	data := body(3*mib, 5)
	for i := range 50 {
		if _, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("kill"), Key: aws.String(fmt.Sprintf("a/%d/k", i)),
			Body: bytes.NewReader(data[:i*50*kib+i])}); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		s.stop(t)
		s.start(t)
	}
	for i := range 50 {
		got, err := read(ctx, c, fmt.Sprintf("a/%d/k", i))
		if err != nil || !bytes.Equal(got, data[:i*50*kib+i]) {
			t.Errorf("key %d: %d bytes, error %v", i, len(got), err)
		}
	}
	s.stop(t)
	s.fsck(t)
}
