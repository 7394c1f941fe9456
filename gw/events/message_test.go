package events

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"holdfast"
	"holdfast/volume"
)

// TestMessage holds messages against those that S3 sends: which fields there are depends on the event.
func TestMessage(t *testing.T) {
	at := time.Date(2024, 5, 6, 7, 8, 9, 123_456_789, time.UTC)
	origin := volume.Origin{Event: "PutObject", Requester: "user", Address: "10.0.0.1", Request: "req", Host: "host"}
	by := func(event string) volume.Origin {
		o := origin
		o.Event = event
		return o
	}
	const (
		who = `"userIdentity":{"principalId":"user"},"requestParameters":{"sourceIPAddress":"10.0.0.1"},` +
			`"responseElements":{"x-amz-request-id":"req","x-amz-id-2":"host"},`
		store = `"userIdentity":{"principalId":"s3.amazonaws.com"},"requestParameters":{"sourceIPAddress":"s3.amazonaws.com"},` +
			`"responseElements":{"x-amz-request-id":"","x-amz-id-2":""},`
		id, etag, nothing = "01000000000000000000000000000000", "ab000000000000000000000000000000", "d41d8cd98f00b204e9800998ecf8427e"
	)
	for _, c := range []struct {
		name    string
		kind    holdfast.ChangeKind
		null    bool
		key     string
		origin  volume.Origin
		version string // of the form of the message
		event   string
		who     string
		object  string
	}{
		{"put", holdfast.ChangePut, true, "red flower/ü@+.jpg", origin, "2.1", "ObjectCreated:Put", who,
			`{"key":"red+flower/%C3%BC%40%2B.jpg","size":1024,"eTag":"` + etag + `","sequencer":"000000000000001F"}`},
		{"put of a version", holdfast.ChangePut, false, "k", origin, "2.1", "ObjectCreated:Put", who,
			`{"key":"k","size":1024,"eTag":"` + etag + `","versionId":"` + id + `","sequencer":"000000000000001F"}`},
		{"delete", holdfast.ChangeDelete, true, "k", by("DeleteObject"), "2.1", "ObjectRemoved:Delete", who, `{"key":"k","sequencer":"000000000000001F"}`},
		{"delete of a version", holdfast.ChangeDelete, false, "k", by("DeleteObjects"), "2.1", "ObjectRemoved:Delete", who,
			`{"key":"k","versionId":"` + id + `","sequencer":"000000000000001F"}`},
		{"delete marker", holdfast.ChangeMarker, false, "k", by("DeleteObject"), "2.1", "ObjectRemoved:DeleteMarkerCreated", who,
			`{"key":"k","eTag":"` + nothing + `","versionId":"` + id + `","sequencer":"000000000000001F"}`},
		{"tags", holdfast.ChangeAttr, true, "k", by("PutObjectTagging"), "2.3", "ObjectTagging:Put", who, `{"key":"k","eTag":"` + etag + `"}`},
		{"tags of a version", holdfast.ChangeAttr, false, "k", by("DeleteObjectTagging"), "2.3", "ObjectTagging:Delete", who,
			`{"key":"k","eTag":"` + etag + `","versionId":"` + id + `"}`},
		{"access control list", holdfast.ChangeAttr, true, "k", by("PutObjectAcl"), "2.3", "ObjectAcl:Put", who, `{"key":"k","eTag":"` + etag + `"}`},
		{"lifecycle", holdfast.ChangeDelete, true, "k", volume.Origin{Event: Lifecycle}, "2.3", "LifecycleExpiration:Delete", store,
			`{"key":"k","sequencer":"000000000000001F"}`},
		{"lifecycle of a versioned bucket", holdfast.ChangeMarker, false, "k", volume.Origin{Event: Lifecycle}, "2.3",
			"LifecycleExpiration:DeleteMarkerCreated", store, `{"key":"k","eTag":"` + nothing + `","versionId":"` + id + `","sequencer":"000000000000001F"}`},
	} {
		change := holdfast.Change{
			Seq: 0x1f, At: at, Kind: c.kind, Size: 1024, ETag: holdfast.ETag{Digest: [16]byte{0xab}}, Version: holdfast.VersionID{1}, Null: c.null,
		}
		note := volume.Note{Bucket: "b", Key: c.key, Origin: c.origin}
		got, err := messageOf(&change, &note, nameOf(&change, c.origin.Event), "rule", bucketInfo{"owner", "eu"})
		want := `{"Records":[{"eventVersion":"` + c.version + `","eventSource":"aws:s3","awsRegion":"eu","eventTime":"2024-05-06T07:08:09.123Z",` +
			`"eventName":"` + c.event + `",` + c.who + `"s3":{"s3SchemaVersion":"1.0","configurationId":"rule","bucket":{"name":"b",` +
			`"ownerIdentity":{"principalId":"owner"},"arn":"arn:aws:s3:::b"},"object":` + c.object + `}}]}`
		if err != nil || string(got) != want {
			t.Errorf("%s: %v\n got %s\nwant %s", c.name, err, got, want)
		}
	}
	got, err := newTestEvent("b", "r", "h", at)
	want := `{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2024-05-06T07:08:09.123Z","Bucket":"b","RequestId":"r","HostId":"h"}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		kind        holdfast.ChangeKind
		event, want string
	}{
		{holdfast.ChangePut, "PutObject", "s3:ObjectCreated:Put"},
		{holdfast.ChangePut, "PostObject", "s3:ObjectCreated:Post"},
		{holdfast.ChangePut, "CopyObject", "s3:ObjectCreated:Copy"},
		{holdfast.ChangePut, "CompleteMultipartUpload", "s3:ObjectCreated:CompleteMultipartUpload"},
		{holdfast.ChangePut, "", ""},
		{holdfast.ChangeDelete, "DeleteObject", "s3:ObjectRemoved:Delete"},
		{holdfast.ChangeDelete, "DeleteObjects", "s3:ObjectRemoved:Delete"},
		{holdfast.ChangeMarker, "DeleteObject", "s3:ObjectRemoved:DeleteMarkerCreated"},
		{holdfast.ChangeMarker, Lifecycle, "s3:LifecycleExpiration:DeleteMarkerCreated"},
		{holdfast.ChangeDelete, Lifecycle, "s3:LifecycleExpiration:Delete"},
		{holdfast.ChangeAttr, "PutObjectTagging", "s3:ObjectTagging:Put"},
		{holdfast.ChangeAttr, "DeleteObjectTagging", "s3:ObjectTagging:Delete"},
		{holdfast.ChangeAttr, "PutObjectAcl", "s3:ObjectAcl:Put"},
		{holdfast.ChangeAttr, "PutObjectRetention", ""},
		{holdfast.ChangeLink, "PutObject", ""},
	} {
		if got := nameOf(&holdfast.Change{Kind: c.kind}, c.event); got != c.want {
			t.Errorf("%d %s: got %q, want %q", c.kind, c.event, got, c.want)
		}
	}
}

func TestValidateTargets(t *testing.T) {
	ok := Target{ID: "a", Type: "webhook", URL: "http://h/p"}
	for _, c := range []struct {
		name    string
		targets []Target
		good    bool
	}{
		{"none", nil, true},
		{"webhook", []Target{ok}, true},
		{"nats", []Target{{ID: "n", Type: "nats", URL: "nats://a:1,tls://b:2", Subject: "x.y"}}, true},
		{"kafka", []Target{{ID: "k", Type: "kafka", Brokers: []string{"h:9092"}, Topic: "t"}}, true},
		{"twice", []Target{ok, ok}, false},
		{"no id", []Target{{Type: "webhook", URL: "http://h"}}, false},
		{"id of another form", []Target{{ID: "a.b", Type: "webhook", URL: "http://h"}}, false},
		{"no type", []Target{{ID: "a"}}, false},
		{"no url", []Target{{ID: "a", Type: "webhook"}}, false},
		{"scheme", []Target{{ID: "a", Type: "webhook", URL: "ftp://h"}}, false},
		{"wildcard", []Target{{ID: "a", Type: "nats", URL: "nats://h", Subject: "x.*"}}, false},
		{"sasl", []Target{{ID: "k", Type: "kafka", Brokers: []string{"h"}, Topic: "t", User: "u", SASL: "gssapi"}}, false},
		{"no topic", []Target{{ID: "a", Type: "kafka", Brokers: []string{"h"}}}, false},
		{"too many", make([]Target, MaxTargets+1), false},
	} {
		if err := ValidateTargets(c.targets); (err == nil) != c.good {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
	if !ok.sameARN("arn:holdfast:sqs:anywhere:a:webhook") || ok.sameARN("arn:holdfast:sqs:x:a:nats") || ok.sameARN("arn:aws:sqs:x:a:webhook") ||
		!ok.sameARN(ok.ARN("us-east-1")) {
		t.Error("ARNs are mixed up")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("{\"key\":\"b/k\",\"message\":{}}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		batch, err := decode(bytes.NewReader(text))
		if err != nil {
			return
		}
		for i := range batch {
			if batch[i].Message != nil && !json.Valid(batch[i].Message) {
				t.Errorf("%q", batch[i].Message)
			}
		}
	})
}
