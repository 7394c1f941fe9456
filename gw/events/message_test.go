package events

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"holdfast"
	"holdfast/volume"
)

func TestMessage(t *testing.T) {
	at := time.Date(2024, 5, 6, 7, 8, 9, 123_456_789, time.UTC)
	put := holdfast.Change{
		Seq: 0x1f, At: at, Kind: holdfast.ChangePut, Size: 1024, ETag: holdfast.ETag{Digest: [16]byte{0xab}}, Version: holdfast.VersionID{1},
	}
	origin := volume.Origin{Event: "PutObject", Requester: "user", Address: "10.0.0.1", Request: "req", Host: "host"}
	removed := put
	removed.Kind = holdfast.ChangeDelete
	for _, c := range []struct {
		name   string
		change holdfast.Change
		note   volume.Note
		want   string
	}{
		{"put", put, volume.Note{Bucket: "b", Key: "red flower/ü.jpg", Versioned: true, Origin: origin},
			`{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"eu","eventTime":"2024-05-06T07:08:09.123Z","eventName":"ObjectCreated:Put",` +
				`"userIdentity":{"principalId":"user"},"requestParameters":{"sourceIPAddress":"10.0.0.1"},"responseElements":{"x-amz-request-id":"req","x-amz-id-2":"host"},` +
				`"s3":{"s3SchemaVersion":"1.0","configurationId":"rule","bucket":{"name":"b","ownerIdentity":{"principalId":"owner"},"arn":"arn:aws:s3:::b"},` +
				`"object":{"key":"red+flower%2F%C3%BC.jpg","size":1024,"eTag":"ab000000000000000000000000000000","versionId":"01000000000000000000000000000000","sequencer":"000000000000001F"}}}]}`},
		{"lifecycle", removed, volume.Note{Bucket: "b", Key: "k", Origin: volume.Origin{Event: Lifecycle}},
			`{"Records":[{"eventVersion":"2.3","eventSource":"aws:s3","awsRegion":"eu","eventTime":"2024-05-06T07:08:09.123Z","eventName":"LifecycleExpiration:Delete",` +
				`"userIdentity":{"principalId":"s3.amazonaws.com"},"requestParameters":{"sourceIPAddress":"s3.amazonaws.com"},"responseElements":{"x-amz-request-id":"","x-amz-id-2":""},` +
				`"s3":{"s3SchemaVersion":"1.0","configurationId":"rule","bucket":{"name":"b","ownerIdentity":{"principalId":"owner"},"arn":"arn:aws:s3:::b"},` +
				`"object":{"key":"k","sequencer":"000000000000001F"}}}]}`},
	} {
		got, err := messageOf(&c.change, &c.note, nameOf(&c.change, c.note.Event), "rule", bucketInfo{"owner", "eu"})
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n got %s\nwant %s", c.name, err, got, c.want)
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
