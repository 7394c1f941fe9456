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
			t.Errorf("%s: the event %s came after %s", key, e.S3.Object.Sequencer, last)
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
	h := &eventHook{rng: rand.New(rand.NewPCG(seed, 1)), seen: map[string]bool{}, keys: map[string][]eventRecord{}}
	hook := httptest.NewServer(h)
	defer hook.Close()
	file := filepath.Join(t.TempDir(), "config.json")
	text := fmt.Sprintf(`{"notification_targets": [{"id": "hook", "type": "webhook", "url": %q}]}`, hook.URL)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newServer(t, "--config", file)
	sendEvents(t, s, "events")
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

// sendEvents makes a bucket that sends its events to the target "hook".
func sendEvents(t *testing.T, s *server, bucket string) {
	t.Helper()
	ctx := context.Background()
	if _, err := s.sdk().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.sdk().PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{
		Bucket: &bucket, NotificationConfiguration: &types.NotificationConfiguration{QueueConfigurations: []types.QueueConfiguration{{
			QueueArn: aws.String("arn:holdfast:sqs:us-east-1:hook:webhook"), Events: []types.Event{"s3:ObjectCreated:*", "s3:ObjectRemoved:*"},
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
