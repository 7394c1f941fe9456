package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// eventRecord is what the tests look at of an event.
type eventRecord struct {
	EventName string
	S3        struct {
		Object struct{ Key, ETag, Sequencer string }
	}
}

// eventHook is a webhook that keeps the events of each key in the order in which they came first, and is down now and then.
type eventHook struct {
	mu    sync.Mutex
	rng   *rand.Rand
	down  int // so many more messages are refused
	tests int
	seen  map[string]bool // by key and sequencer
	keys  map[string][]eventRecord
	again int // events that came more than once
}

// ServeHTTP implements [http.Handler].
func (h *eventHook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	var m struct {
		Event   string
		Records []eventRecord
	}
	if err != nil || json.Unmarshal(text, &m) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.down > 0 || h.rng.IntN(50) == 0 {
		h.down = max(h.down-1, 0)
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if m.Event == "s3:TestEvent" {
		h.tests++
	}
	for _, e := range m.Records {
		key, err := url.QueryUnescape(e.S3.Object.Key)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if id := key + " " + e.S3.Object.Sequencer; h.seen[id] {
			h.again++
		} else {
			h.seen[id] = true
			h.keys[key] = append(h.keys[key], e)
		}
	}
}

// missing returns what of the acknowledged changes of a key no event told of, in order, "" if nothing; and checks that events came in order.
func (h *eventHook) missing(t *testing.T, key string, acked []string) string {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	last := ""
	for _, e := range h.keys[key] {
		if e.S3.Object.Sequencer <= last {
			t.Fatalf("%s: the event %s came after %s", key, e.S3.Object.Sequencer, last)
		}
		last = e.S3.Object.Sequencer
		if len(acked) > 0 && acked[0] == e.EventName+" "+e.S3.Object.ETag {
			acked = acked[1:]
		}
	}
	if len(acked) > 0 {
		return acked[0]
	}
	return ""
}

// TestEventsThroughKills kills the server again and again under changes of a bucket that sends events, to a webhook that is away now and
// then: there is an event of every acknowledged change, and those of a key come in their order.
func TestEventsThroughKills(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	s, h := newEventServer(t, seed)
	sendEvents(t, s, "events", "s3:ObjectCreated:*", "s3:ObjectRemoved:*")
	acked := make(map[string][]string)
	for range 3 {
		eventRound(t, s, acked, rng)
		h.mu.Lock()
		h.down = rng.IntN(20)
		h.mu.Unlock()
	}
	if len(acked) == 0 {
		t.Fatal("no change was acknowledged")
	}
	changes := 0
	for key, want := range acked {
		changes += len(want)
		eventually(t, time.Minute, "the events of "+key, func() error {
			if lost := h.missing(t, key, want); lost != "" {
				return fmt.Errorf("nothing told of %s", lost)
			}
			return nil
		})
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	t.Logf("%d acknowledged changes, %d events, %d of them came again", changes, len(h.seen), h.again)
	if h.tests == 0 {
		t.Error("no test event came")
	}
}

// newEventServer starts a server that knows a webhook as the target "hook".
func newEventServer(t *testing.T, seed uint64, args ...string) (*server, *eventHook) {
	t.Helper()
	h := &eventHook{rng: rand.New(rand.NewPCG(seed, 1)), seen: map[string]bool{}, keys: map[string][]eventRecord{}}
	hook := httptest.NewServer(h)
	t.Cleanup(hook.Close)
	file := filepath.Join(t.TempDir(), "config.json")
	text := fmt.Sprintf(`{"notification_targets": [{"id": "hook", "type": "webhook", "url": %q}]}`, hook.URL)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return newServer(t, append(args, "--config", file)...), h
}

// sendEvents makes a bucket that sends these events to the target "hook".
func sendEvents(t *testing.T, s *server, bucket string, events ...types.Event) {
	t.Helper()
	ctx := context.Background()
	if _, err := s.sdk().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.sdk().PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{
		Bucket: &bucket, NotificationConfiguration: &types.NotificationConfiguration{QueueConfigurations: []types.QueueConfiguration{{
			QueueArn: aws.String("arn:holdfast:sqs:us-east-1:hook:webhook"), Events: events,
		}}},
	}); err != nil {
		t.Fatal(err)
	}
}

// eventRound runs writers, each with its own keys, for a random while, kills the server and starts it again. It adds what was acknowledged,
// as event and ETag, to the list of the key.
func eventRound(t *testing.T, s *server, acked map[string][]string, rng *rand.Rand) {
	t.Helper()
	const writers, keys = 4, 5
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var wg sync.WaitGroup
	var mu sync.Mutex
	for w := range writers {
		rng := rand.New(rand.NewPCG(rng.Uint64(), uint64(w)))
		wg.Go(func() {
			c := s.sdk()
			there := make(map[string]bool)
			for ctx.Err() == nil {
				key := fmt.Sprintf("w%d/a b/k%d", w, rng.IntN(keys))
				change := "ObjectRemoved:Delete "
				if there[key] && rng.IntN(3) == 0 {
					if _, err := c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String("events"), Key: &key}); err != nil {
						return
					}
					there[key] = false
				} else {
					put, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("events"), Key: &key, Body: bytes.NewReader(body(64, rng.Uint64()))})
					if err != nil {
						return
					}
					there[key] = true
					change = "ObjectCreated:Put " + strings.Trim(aws.ToString(put.ETag), `"`)
				}
				mu.Lock()
				acked[key] = append(acked[key], change)
				mu.Unlock()
			}
		})
	}
	<-time.After(time.Duration(500+rng.IntN(1000)) * time.Millisecond) // any moment is a good one to die
	s.kill(t)
	cancel()
	wg.Wait()
	s.start(t)
}

// TestLifecycleTells lets lifecycle rules hide an object, remove it and then its delete marker, on short days: events and the access log
// tell so.
func TestLifecycleTells(t *testing.T) {
	s, h := newEventServer(t, 1, "--lifecycle-day", "1s", "--access-log-every", "1s")
	ctx, c := context.Background(), s.sdk()
	bucket, logs := aws.String("expiring"), aws.String("logs")
	sendEvents(t, s, *bucket, "s3:LifecycleExpiration:*")
	if _, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: logs}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutBucketLogging(ctx, &s3.PutBucketLoggingInput{Bucket: bucket, BucketLoggingStatus: &types.BucketLoggingStatus{
		LoggingEnabled: &types.LoggingEnabled{TargetBucket: logs, TargetPrefix: aws.String("log/")},
	}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket: bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("a b"), Body: strings.NewReader("data")}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{
		Bucket: bucket, LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: []types.LifecycleRule{{
			Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("")},
			Expiration:                  &types.LifecycleExpiration{Days: aws.Int32(1)},
			NoncurrentVersionExpiration: &types.NoncurrentVersionExpiration{NoncurrentDays: aws.Int32(1)},
		}}},
	}); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "the events", func() error {
		h.mu.Lock()
		defer h.mu.Unlock()
		var got []string
		for _, e := range h.keys["a b"] {
			got = append(got, e.EventName)
		}
		// the marker, the version behind it, and the marker that hides nothing then
		if want := "LifecycleExpiration:DeleteMarkerCreated LifecycleExpiration:Delete LifecycleExpiration:Delete"; strings.Join(got, " ") != want {
			return fmt.Errorf("got %q", got)
		}
		return nil
	})
	eventually(t, time.Minute, "the access log", func() error {
		text := contents(t, s, *logs)
		for _, want := range []string{" AmazonS3 - S3.CREATE.DELETEMARKER a%20b ", " AmazonS3 - S3.EXPIRE.OBJECT a%20b ", " REST.PUT.OBJECT a%2520b "} {
			if !strings.Contains(text, want) {
				return fmt.Errorf("no %q in %s", want, text)
			}
		}
		return nil
	})
}

// contents returns the objects of a bucket, one after the other.
func contents(t *testing.T, s *server, bucket string) string {
	t.Helper()
	ctx, c := context.Background(), s.sdk()
	list, err := c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &bucket})
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, o := range list.Contents {
		got, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: o.Key})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&all, got.Body); err != nil {
			t.Fatal(err)
		}
		if err := got.Body.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}
