package gw

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"holdfast/gw/accesslog"
	"holdfast/gw/events"
	"holdfast/volume"
)

// TestAccessLog makes requests to a bucket that is logged and reads what was delivered.
func TestAccessLog(t *testing.T) {
	v := openVolume(t, newServices())
	log := accesslog.Start(accesslog.Options{Volume: v, Every: time.Hour})
	c := clientOf(t, serve(t, newTestGateway(t, func(o *Options) { o.Volume, o.AccessLog = v, log })))
	for _, bucket := range []string{"/logged", "/logs", "/silent"} {
		c.do("PUT", bucket, nil).is(200)
	}
	c.do("PUT", "/logged?logging", []byte("<BucketLoggingStatus><LoggingEnabled><TargetBucket>logs</TargetBucket><TargetPrefix>p/</TargetPrefix>"+
		"</LoggingEnabled></BucketLoggingStatus>")).is(200)
	c.do("PUT", "/silent/k", []byte("data")).is(200)
	c.do("PUT", "/logged/a%20b", []byte("data")).is(200)
	c.do("GET", "/logged/a%20b", nil).is(200)
	c.do("GET", "/logged/none?versionId=null", nil).is(404)
	c.do("GET", "/logged?list-type=2", nil).is(200)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := v.Bucket(t.Context(), "logs")
	if err != nil {
		t.Fatal(err)
	}
	page, err := b.List(t.Context(), volume.ListOptions{Prefix: "p/", Limit: 10})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("%d log objects, %v", len(page.Items), err)
	}
	lines := strings.Split(strings.TrimSuffix(string(c.do("GET", "/logs/"+page.Items[0].Key, nil).is(200).body), "\n"), "\n")
	want := []string{ // from the operation on, without times and ids
		`REST.PUT.OBJECT a%2520b "PUT /logged/a%20b HTTP/1.1" 200 - - 4 `,
		`REST.GET.OBJECT a%2520b "GET /logged/a%20b HTTP/1.1" 200 - 4 4 `,
		`REST.GET.OBJECT none "GET /logged/none?versionId=null HTTP/1.1" 404 NoSuchVersion `,
		`REST.GET.BUCKET - "GET /logged?list-type=2 HTTP/1.1" 200 - `,
	}
	if len(lines) != len(want) {
		t.Fatalf("got %q", lines)
	}
	for i, line := range lines {
		if !strings.Contains(line, want[i]) || !strings.HasPrefix(line, testUser+" logged [") || !strings.Contains(line, " SigV4 - AuthHeader ") {
			t.Errorf("got %s\nwant %s", line, want[i])
		}
	}
}

// hook is a webhook that remembers the names of events and their keys.
type hook struct {
	mu  sync.Mutex
	got []string
}

// ServeHTTP implements [http.Handler].
func (h *hook) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // a body cut short is no JSON
	var m struct {
		Event, RequestId string
		Records          []struct {
			EventName         string
			RequestParameters struct{ SourceIPAddress string }
			S3                struct {
				ConfigurationId string
				Object          struct{ Key, ETag, VersionId string }
			}
		}
	}
	if json.Unmarshal(body, &m) != nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if m.Event != "" && m.RequestId != "" {
		h.got = append(h.got, m.Event)
	}
	for _, e := range m.Records {
		if e.RequestParameters.SourceIPAddress == "127.0.0.1" && e.S3.ConfigurationId == "rule" {
			h.got = append(h.got, e.EventName+" "+e.S3.Object.Key)
		}
	}
}

func (h *hook) has(want []string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, one := range want {
		if !slices.Contains(h.got, one) {
			return false
		}
	}
	return len(h.got) == len(want)
}

// TestEvents makes requests to a bucket that sends events and waits for them.
func TestEvents(t *testing.T) {
	h := new(hook)
	server := httptest.NewServer(h)
	defer server.Close()
	target := events.Target{ID: "hook", Type: "webhook", URL: server.URL}
	v := openVolume(t, newServices())
	service, err := events.Start(events.Options{Volume: v, Targets: []events.Target{target}, Region: testRegion})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := service.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, id := range []string{"0800000000000001", "0800000000000002"} {
		eventually(t, "a cursor", func() bool {
			r, err := v.ReadRecord(t.Context(), "c/events/"+id)
			return err == nil && r.Value != ""
		})
	}
	c := clientOf(t, serve(t, newTestGateway(t, func(o *Options) { o.Volume, o.Targets = v, service })))
	c.do("PUT", "/bucket", nil).is(200)
	c.do("PUT", "/bucket?notification", []byte("<NotificationConfiguration><QueueConfiguration><Id>rule</Id><Queue>"+target.ARN(testRegion)+
		"</Queue><Event>s3:ObjectCreated:*</Event><Event>s3:ObjectRemoved:*</Event><Event>s3:ObjectTagging:*</Event></QueueConfiguration></NotificationConfiguration>")).is(200)
	c.do("PUT", "/bucket/a/k", []byte("data")).is(200)
	c.do("PUT", "/bucket/a/k?tagging", []byte("<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>")).is(200)
	c.do("DELETE", "/bucket/a/k?tagging", nil).is(204)
	c.do("DELETE", "/bucket/a/k", nil).is(204)
	c.do("DELETE", "/bucket/none", nil).is(204)
	eventually(t, "events", func() bool {
		return h.has([]string{"s3:TestEvent", "ObjectCreated:Put a%2Fk", "ObjectTagging:Put a%2Fk", "ObjectTagging:Delete a%2Fk", "ObjectRemoved:Delete a%2Fk"})
	})
}
