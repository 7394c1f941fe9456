package gw

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"holdfast/gw/accesslog"
	"holdfast/gw/events"
	"holdfast/volume"
)

// accessField finds the fields of a line of an access log.
var accessField = regexp.MustCompile(`"[^"]*"|\[[^\]]*\]|\S+`)

// matchLine holds a line against fields, of which "*" is anything and "N" any number.
func matchLine(line, want string) bool {
	got, fields := accessField.FindAllString(line, -1), accessField.FindAllString(want, -1)
	return slices.EqualFunc(got, fields, func(got, want string) bool {
		_, err := strconv.Atoi(got)
		return want == "*" || want == "N" && err == nil || want == got
	})
}

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
	c.do("PUT", "/logged/a%20b", []byte("data"), "X-Amz-Acl", "public-read").is(200)
	c.do("GET", "/logged/a%20b", nil).is(200)
	c.do("GET", "/logged/none?versionId=null", nil).is(404)
	c.do("GET", "/logged?list-type=2", nil, "Referer", `http://x/"y"`).is(200)
	c.do("PUT", "/silent/copy", nil, "X-Amz-Copy-Source", "/logged/a%20b").is(200)
	anonymous, err := http.Get(c.endpoint + "/logged/a%20b")
	if err != nil || anonymous.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", anonymous, err)
	}
	if err := anonymous.Body.Close(); err != nil {
		t.Fatal(err)
	}
	doc := []byte("<Delete><Object><Key>a b</Key></Object><Object><Key>c</Key><VersionId>x</VersionId></Object></Delete>")
	sum := md5.Sum(doc)
	c.do("POST", "/logged?delete", doc, "Content-Md5", base64.StdEncoding.EncodeToString(sum[:])).is(200)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	const (
		who   = testUser + " logged * 127.0.0.1 " + testUser + " * "
		agent = ` N N "-" "Go-http-client/1.1" `
		end   = " * SigV4 - AuthHeader * - - - -"
	)
	want := []string{
		who + `REST.PUT.OBJECT a%2520b "PUT /logged/a%20b HTTP/1.1" 200 - - 4` + agent + "-" + end,
		who + `REST.GET.OBJECT a%2520b "GET /logged/a%20b HTTP/1.1" 200 - 4 4` + agent + "-" + end,
		who + `REST.GET.OBJECT none "GET /logged/none?versionId=null HTTP/1.1" 404 NoSuchVersion N -` + agent + "null" + end,
		who + `REST.GET.BUCKET - "GET /logged?list-type=2 HTTP/1.1" 200 - N - N N "http://x/%22y%22" "Go-http-client/1.1" -` + end,
		who + `REST.COPY.OBJECT_GET a%2520b "PUT /silent/copy HTTP/1.1" 200 - - 4` + agent + "-" + end,
		testUser + ` logged * 127.0.0.1 - * REST.GET.OBJECT a%2520b "GET /logged/a%20b HTTP/1.1" 200 - 4 4` + agent + "- * - - - * - - Yes -",
		who + "BATCH.DELETE.OBJECT a%20b - 204 - - - - - - - -" + end,
		who + "BATCH.DELETE.OBJECT c - 404 NoSuchVersion - - - - - - x" + end,
		who + `REST.POST.MULTI_OBJECT_DELETE - "POST /logged?delete HTTP/1.1" 200 - N -` + agent + "-" + end,
	}
	lines := accessLines(t, v, c)
	if len(lines) != len(want) {
		t.Fatalf("got %q", lines)
	}
	for i, line := range lines {
		if !matchLine(line, want[i]) {
			t.Errorf("\n got %s\nwant %s", line, want[i])
		}
	}
}

// accessLines returns the lines of the one log object there is.
func accessLines(t *testing.T, v *volume.Volume, c *testClient) []string {
	t.Helper()
	b, err := v.Bucket(t.Context(), "logs")
	if err != nil {
		t.Fatal(err)
	}
	page, err := b.List(t.Context(), volume.ListOptions{Prefix: "p/", Limit: 10})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("%d log objects, %v", len(page.Items), err)
	}
	return strings.Split(strings.TrimSuffix(string(c.do("GET", "/logs/"+page.Items[0].Key, nil).is(200).body), "\n"), "\n")
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
			h.got = append(h.got, strings.TrimSpace(e.EventName+" "+e.S3.Object.Key+" "+e.S3.Object.VersionId))
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
		"</Queue><Event>s3:ObjectCreated:*</Event><Event>s3:ObjectRemoved:*</Event><Event>s3:ObjectTagging:*</Event><Event>s3:ObjectAcl:Put</Event>"+
		"</QueueConfiguration></NotificationConfiguration>")).is(200)
	c.do("PUT", "/bucket/a/k", []byte("data")).is(200)
	c.do("PUT", "/bucket/a/k?tagging", []byte("<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>")).is(200)
	c.do("DELETE", "/bucket/a/k?tagging", nil).is(204)
	c.do("DELETE", "/bucket/a/k", nil).is(204)
	c.do("DELETE", "/bucket/none", nil).is(204)
	c.do("PUT", "/bucket/source", []byte("data")).is(200)
	c.do("PUT", "/bucket/copy", nil, "X-Amz-Copy-Source", "/bucket/source").is(200)
	c.do("PUT", "/bucket/copy?acl", nil, "X-Amz-Acl", "private").is(200)
	upload := between(string(c.do("POST", "/bucket/parts?uploads", nil).is(200).body), "<UploadId>", "</UploadId>")
	part := c.do("PUT", "/bucket/parts?partNumber=1&uploadId="+upload, []byte("data")).is(200)
	c.do("POST", "/bucket/parts?uploadId="+upload, []byte("<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"+part.Header.Get("ETag")+
		"</ETag></Part></CompleteMultipartUpload>")).is(200)
	c.do("PUT", "/bucket?acl", nil, "X-Amz-Acl", "public-read-write").is(200)
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for _, field := range [][2]string{{"key", "form"}, {"file", "data"}} {
		if err := w.WriteField(field[0], field[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	posted, err := http.Post(c.endpoint+"/bucket", w.FormDataContentType(), &form)
	if err != nil || posted.StatusCode != http.StatusNoContent || posted.Body.Close() != nil {
		t.Fatalf("%v, %v", posted, err)
	}
	c.do("PUT", "/bucket?versioning", []byte("<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")).is(200)
	marker := c.do("DELETE", "/bucket/source", nil).is(204).Header.Get("X-Amz-Version-Id")
	c.do("DELETE", "/bucket/source?versionId="+marker, nil).is(204)
	eventually(t, "events", func() bool {
		return h.has([]string{
			"s3:TestEvent", "ObjectCreated:Put a/k", "ObjectTagging:Put a/k", "ObjectTagging:Delete a/k", "ObjectRemoved:Delete a/k",
			"ObjectCreated:Put source", "ObjectCreated:Copy copy", "ObjectAcl:Put copy", "ObjectCreated:CompleteMultipartUpload parts",
			"ObjectCreated:Post form", "ObjectRemoved:DeleteMarkerCreated source " + marker, "ObjectRemoved:Delete source " + marker,
		})
	})
}

// between returns what stands in a text between two others.
func between(text, before, after string) string {
	_, text, _ = strings.Cut(text, before)
	text, _, _ = strings.Cut(text, after)
	return text
}
