package events

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"holdfast"
	"holdfast/gw/s3api"
	"holdfast/namesrv/nametest"
	"holdfast/objsrv/objtest"
	"holdfast/volume"
)

const turn = 300 * time.Millisecond

// world is a volume in memory with a bucket that sends events.
type world struct {
	*testing.T
	services volume.Services
	v        *volume.Volume
	b        *volume.Bucket
}

func newWorld(t *testing.T, targets ...Target) *world {
	t.Helper()
	ids := []holdfast.ServiceID{holdfast.NewServiceID(holdfast.TypeNameServer, 1), holdfast.NewServiceID(holdfast.TypeNameServer, 2)}
	slots := volume.NewSlotMap(ids...)
	services := volume.NewDirect(slots)
	for _, id := range ids {
		services.SetName(id, nametest.New(nil, slots.Held(id)...))
	}
	os := holdfast.NewServiceID(holdfast.TypeObjectStore, 1)
	services.SetObject(os, objtest.NewMemory(os, nil))
	w := &world{T: t, services: services}
	w.v = w.open()
	w.configure(targets...)
	return w
}

func (w *world) open() *volume.Volume {
	v, err := volume.Open(volume.Options{Services: w.services, RetryFor: time.Second})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		if err := v.Close(); err != nil {
			w.Error(err)
		}
	})
	return v
}

// configure makes the bucket send the events of keys under <target id>/ to each target.
func (w *world) configure(targets ...Target) {
	w.Helper()
	var c s3api.NotificationConfig
	for i := range targets {
		prefix := targets[i].ID + "/"
		c.Rules = append(c.Rules, s3api.NotificationRule{
			Kind: s3api.QueueNotification, ID: targets[i].ID, ARN: targets[i].ARN("us-east-1"),
			Events: []string{"s3:ObjectCreated:*", "s3:ObjectRemoved:*"}, Prefix: &prefix,
		})
	}
	info := holdfast.BucketInfo{Name: "bucket", Owner: "o", Settings: map[string][]byte{"notification": c.Append(nil)}}
	if _, err := w.v.CreateBucket(w.Context(), info); err != nil {
		w.Fatal(err)
	}
	var err error
	if w.b, err = w.v.Bucket(w.Context(), "bucket"); err != nil {
		w.Fatal(err)
	}
}

// start starts a service and waits until it follows.
func (w *world) start(targets ...Target) *Service {
	w.Helper()
	return w.startWith(Options{}, targets...)
}

func (w *world) startWith(opts Options, targets ...Target) *Service {
	w.Helper()
	opts.Volume, opts.Targets, opts.Region, opts.Turn = w.v, targets, "us-east-1", cmp.Or(opts.Turn, turn)
	s, err := Start(opts)
	if err != nil {
		w.Fatal(err)
	}
	for _, id := range w.services.SlotMap().Servers() {
		w.eventually("a cursor", func() bool {
			r, err := w.v.ReadRecord(w.Context(), "c/events/"+id.String())
			return err == nil && r.Value != ""
		})
	}
	return s
}

func (w *world) stop(s *Service) {
	w.Helper()
	if err := s.Close(); err != nil {
		w.Error(err)
	}
}

func (w *world) eventually(what string, holds func() bool) {
	w.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			w.Fatalf("%s: did not happen", what)
		}
	}
}

func (w *world) put(key string) {
	w.Helper()
	ctx := volume.WithOrigin(w.Context(), &volume.Origin{Event: "PutObject", Requester: "u"})
	if _, err := w.b.Put(ctx, key, volume.PutRequest{Body: strings.NewReader("x"), Size: 1}); err != nil {
		w.Fatal(err)
	}
}

func (w *world) remove(key string) {
	w.Helper()
	if err := w.b.Delete(w.Context(), []volume.DeleteRequest{{Key: key}})[0].Err; err != nil {
		w.Fatal(err)
	}
}

// inbox collects what a target was sent, as "event key", and refuses while it is down.
type inbox struct {
	mu   sync.Mutex
	got  []string
	down bool
}

func (in *inbox) take(message []byte) error {
	var m struct {
		Event   string
		Records []struct {
			EventName string
			S3        struct {
				Object struct{ Key, Sequencer string }
			}
		}
	}
	if err := json.Unmarshal(message, &m); err != nil {
		return err
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.down {
		return fmt.Errorf("down")
	}
	if m.Event != "" {
		in.got = append(in.got, m.Event)
	}
	for _, r := range m.Records {
		key, _ := url.QueryUnescape(r.S3.Object.Key)
		in.got = append(in.got, r.EventName+" "+key)
	}
	return nil
}

func (in *inbox) count(what string) (n int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, got := range in.got {
		if got == what {
			n++
		}
	}
	return n
}

func (in *inbox) set(down bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.down = down
}

// webhookTarget is a real HTTP server.
func webhookTarget(t *testing.T, id string) (Target, *inbox) {
	t.Helper()
	in := new(inbox)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("Authorization") != "Bearer secret" || r.Header.Get("Content-Type") != "application/json" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if in.take(body) != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(s.Close)
	return Target{ID: id, Type: "webhook", URL: s.URL, Token: "secret"}, in
}

// TestWebhook sends events, filters them, and keeps those of one key in order.
func TestWebhook(t *testing.T) {
	target, in := webhookTarget(t, "hook")
	w := newWorld(t, target)
	s := w.start(target)
	defer w.stop(s)
	w.put("other/k")
	for range 5 {
		w.put("hook/a b")
		w.remove("hook/a b")
	}
	w.put("hook/last")
	w.eventually("events", func() bool {
		return in.count("ObjectRemoved:Delete hook/a b") == 5 && in.count("ObjectCreated:Put hook/last") == 1
	})
	in.mu.Lock()
	defer in.mu.Unlock()
	want := "ObjectCreated:Put hook/a b"
	for _, got := range in.got {
		if !strings.HasSuffix(got, "hook/a b") {
			continue
		}
		if got != want {
			t.Fatalf("out of order: %q", in.got)
		}
		if want = "ObjectRemoved:Delete hook/a b"; strings.HasPrefix(got, "ObjectRemoved") {
			want = "ObjectCreated:Put hook/a b"
		}
	}
	if len(in.got) != 11 {
		t.Errorf("got %q", in.got)
	}
}

// TestDeadTarget lets one target be down: the other gets its events, and the first gets all of them after a restart.
func TestDeadTarget(t *testing.T) {
	dead, deadIn := webhookTarget(t, "dead")
	alive, aliveIn := webhookTarget(t, "alive")
	deadIn.set(true)
	w := newWorld(t, dead, alive)
	s := w.start(dead, alive)
	for i := range 20 {
		w.put(fmt.Sprintf("dead/%d", i))
		w.put(fmt.Sprintf("alive/%d", i))
	}
	w.eventually("the events of the living", func() bool { return aliveIn.count("ObjectCreated:Put alive/19") == 1 })
	w.stop(s)
	w.put("dead/while away")
	deadIn.set(false)
	s = w.start(dead, alive)
	defer w.stop(s)
	for i := range 20 {
		w.eventually("the events of the dead", func() bool { return deadIn.count(fmt.Sprintf("ObjectCreated:Put dead/%d", i)) >= 1 })
	}
	w.eventually("what happened meanwhile", func() bool { return deadIn.count("ObjectCreated:Put dead/while away") >= 1 })
}

// TestTwoServices runs two services on one volume: each event comes once, and again when the first one vanishes.
func TestTwoServices(t *testing.T) {
	target, in := webhookTarget(t, "hook")
	w := newWorld(t, target)
	const turn = 5 * time.Second // so that nobody is taken for dead who is only slow
	first := w.startWith(Options{Turn: turn}, target)
	second := w.startWith(Options{Turn: turn}, target)
	defer w.stop(second)
	for i := range 10 {
		w.put(fmt.Sprintf("hook/%d", i))
	}
	w.eventually("events", func() bool { return in.count("ObjectCreated:Put hook/9") == 1 })
	w.eventually("an empty queue", func() bool { n, _, err := first.outlets[0].queue.length(t.Context()); return err == nil && n == 0 })
	w.stop(first)
	w.put("hook/after")
	w.eventually("events of the second", func() bool { return in.count("ObjectCreated:Put hook/after") >= 1 })
	for i := range 10 {
		if n := in.count(fmt.Sprintf("ObjectCreated:Put hook/%d", i)); n != 1 {
			t.Errorf("event %d came %d times", i, n)
		}
	}
}

func TestTestEvent(t *testing.T) {
	target, in := webhookTarget(t, "hook")
	w := newWorld(t, target)
	s := w.start(target)
	defer w.stop(s)
	if !s.Known(target.ARN("us-east-1")) || s.Known("arn:holdfast:sqs:us-east-1:other:webhook") {
		t.Error("targets are mixed up")
	}
	if err := s.Test(t.Context(), target.ARN("us-east-1"), "bucket", "r", "h"); err != nil {
		t.Fatal(err)
	}
	w.eventually("the test event", func() bool { return in.count("s3:TestEvent") == 1 })
}

// TestNATS publishes to a real server, with each way of showing who one is.
func TestNATS(t *testing.T) {
	for name, c := range map[string]struct {
		server server.Options
		target Target
	}{
		"open":     {},
		"token":    {server.Options{Authorization: "secret"}, Target{Token: "secret"}},
		"password": {server.Options{Username: "user", Password: "secret"}, Target{User: "user", Password: "secret"}},
	} {
		t.Run(name, func(t *testing.T) {
			n := startNATS(t, &c.server)
			c.target.ID, c.target.Type, c.target.URL, c.target.Subject = "bus", "nats", n.ClientURL(), "s3.events"
			conn, err := nats.Connect(n.ClientURL(), nats.UserInfo(c.target.User, c.target.Password), nats.Token(c.target.Token))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			in := new(inbox)
			if _, err := conn.Subscribe("s3.events", func(m *nats.Msg) { _ = in.take(m.Data) }); err != nil {
				t.Fatal(err)
			}
			if err := conn.Flush(); err != nil {
				t.Fatal(err)
			}
			w := newWorld(t, c.target)
			s := w.start(c.target)
			defer w.stop(s)
			w.put("bus/k")
			w.remove("bus/k")
			w.eventually("events", func() bool {
				return in.count("ObjectCreated:Put bus/k") == 1 && in.count("ObjectRemoved:Delete bus/k") == 1
			})
		})
	}
}

// startNATS starts a server; the test's end stops it.
func startNATS(t *testing.T, o *server.Options) *server.Server {
	t.Helper()
	o.Host, o.Port, o.NoLog, o.NoSigs = "127.0.0.1", server.RANDOM_PORT, true, true
	n, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	n.Start()
	t.Cleanup(func() { n.Shutdown(); n.WaitForShutdown() })
	if !n.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server does not start")
	}
	return n
}

// TestJetStream publishes to a stream that is made only after the first attempts failed.
func TestJetStream(t *testing.T) {
	n := startNATS(t, &server.Options{JetStream: true, StoreDir: t.TempDir()})
	target := Target{ID: "bus", Type: "nats", URL: n.ClientURL(), Subject: "s3.events", JetStream: true}
	w := newWorld(t, target)
	reg := prometheus.NewRegistry()
	s := w.startWith(Options{Reg: reg}, target)
	defer w.stop(s)
	w.put("bus/k")
	w.eventually("a failure", func() bool { return counted(t, reg, "failures") > 0 })
	conn, err := nats.Connect(n.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stream, err := conn.JetStream()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.AddStream(&nats.StreamConfig{Name: "S3", Subjects: []string{"s3.>"}, MaxBytes: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	w.eventually("the stored event", func() bool {
		info, err := stream.StreamInfo("S3")
		return err == nil && info.State.Msgs >= 1
	})
	m, err := stream.GetMsg("S3", 1)
	if err != nil || !strings.Contains(string(m.Data), `"eventName":"ObjectCreated:Put"`) {
		t.Errorf("got %v, %v", m, err)
	}
}

// TestKafka produces to a broker that is a fake, by the real protocol, with each way of showing a password.
func TestKafka(t *testing.T) {
	for _, way := range []string{"", saslPlain, scram256, scram512} {
		t.Run("sasl="+way, func(t *testing.T) { testKafka(t, way) })
	}
}

func testKafka(t *testing.T, way string) {
	options := []kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(3, "events")}
	target := Target{ID: "log", Type: "kafka", Topic: "events", SASL: way}
	if way != "" {
		target.User, target.Password = "user", "secret"
		options = append(options, kfake.EnableSASL(), kfake.Superuser(strings.ToUpper(way), target.User, target.Password))
	}
	cluster, err := kfake.NewCluster(options...)
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	target.Brokers = cluster.ListenAddrs()
	w := newWorld(t, target)
	s := w.start(target)
	defer w.stop(s)
	for range 3 {
		w.put("log/k")
		w.remove("log/k")
	}
	reading := []kgo.Opt{kgo.SeedBrokers(target.Brokers...), kgo.ConsumeTopics("events")}
	if way != "" {
		reading = append(reading, kgo.SASL(target.mechanism()))
	}
	consumer, err := kgo.NewClient(reading...)
	if err != nil {
		t.Fatal(err)
	}
	defer consumer.Close()
	in := new(inbox)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for in.count("ObjectRemoved:Delete log/k") < 3 && ctx.Err() == nil {
		consumer.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			if string(r.Key) != "bucket/log/k" {
				t.Errorf("message key %q", r.Key)
			}
			if err := in.take(r.Value); err != nil {
				t.Error(err)
			}
		})
	}
	if got := strings.Join(in.got, ","); got != strings.TrimSuffix(strings.Repeat("ObjectCreated:Put log/k,ObjectRemoved:Delete log/k,", 3), ",") {
		t.Errorf("got %s", got)
	}
}

// TestAway starts with targets that nobody listens at.
func TestAway(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	targets := []Target{
		{ID: "hook", Type: "webhook", URL: "http://" + address},
		{ID: "bus", Type: "nats", URL: "nats://" + address, Subject: "s"},
		{ID: "log", Type: "kafka", Brokers: []string{address}, Topic: "t"},
	}
	w := newWorld(t, targets...)
	s := w.start(targets...)
	for _, target := range targets {
		w.put(target.ID + "/k")
	}
	for _, o := range s.outlets {
		w.eventually("a queue", func() bool { n, _, err := o.queue.length(t.Context()); return err == nil && n == 1 })
	}
	w.stop(s)
}
