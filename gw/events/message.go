package events

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"holdfast"
	"holdfast/volume"
)

// Lifecycle is the [volume.Origin] event of what lifecycle rules do.
const Lifecycle = "Lifecycle"

// nameOf returns the event type of a change, with "s3:" before it, "" if it is none that anybody is told of.
func nameOf(c *holdfast.Change, event string) string {
	switch c.Kind {
	case holdfast.ChangePut:
		return map[string]string{
			"PutObject": "s3:ObjectCreated:Put", "PostObject": "s3:ObjectCreated:Post", "CopyObject": "s3:ObjectCreated:Copy",
			"CompleteMultipartUpload": "s3:ObjectCreated:CompleteMultipartUpload",
		}[event]
	case holdfast.ChangeMarker:
		if event == Lifecycle {
			return "s3:LifecycleExpiration:DeleteMarkerCreated"
		}
		return "s3:ObjectRemoved:DeleteMarkerCreated"
	case holdfast.ChangeDelete:
		if event == Lifecycle {
			return "s3:LifecycleExpiration:Delete"
		}
		return "s3:ObjectRemoved:Delete"
	case holdfast.ChangeAttr:
		return map[string]string{
			"PutObjectTagging": "s3:ObjectTagging:Put", "DeleteObjectTagging": "s3:ObjectTagging:Delete", "PutObjectAcl": "s3:ObjectAcl:Put",
		}[event]
	}
	return ""
}

// timeForm is how events write times.
const timeForm = "2006-01-02T15:04:05.000Z"

type identity struct {
	PrincipalID string `json:"principalId"`
}

// record is one event as S3 describes it.
type record struct {
	Version   string   `json:"eventVersion"`
	Source    string   `json:"eventSource"`
	Region    string   `json:"awsRegion"`
	Time      string   `json:"eventTime"`
	Name      string   `json:"eventName"`
	User      identity `json:"userIdentity"`
	Parameter struct {
		Address string `json:"sourceIPAddress"`
	} `json:"requestParameters"`
	Response struct {
		Request string `json:"x-amz-request-id"`
		Host    string `json:"x-amz-id-2"`
	} `json:"responseElements"`
	S3 struct {
		Schema        string `json:"s3SchemaVersion"`
		Configuration string `json:"configurationId"`
		Bucket        struct {
			Name  string   `json:"name"`
			Owner identity `json:"ownerIdentity"`
			ARN   string   `json:"arn"`
		} `json:"bucket"`
		Object object `json:"object"`
	} `json:"s3"`
}

// object is what a record tells of an object. Which fields there are depends on the event: see [objectOf].
type object struct {
	Key       string `json:"key"`
	Size      *int64 `json:"size,omitempty"`
	ETag      string `json:"eTag,omitempty"`
	Version   string `json:"versionId,omitempty"`
	Sequencer string `json:"sequencer,omitempty"`
}

// emptyETag is the MD5 of nothing, which S3 shows as the ETag of a delete marker.
const emptyETag = "d41d8cd98f00b204e9800998ecf8427e"

// objectOf describes the object of a change. As in S3 only creations tell the size, only creations and removals have a sequencer, and the
// null version has no id.
func objectOf(c *holdfast.Change, key string) object {
	o := object{Key: encodeKey(key)}
	if !c.Null {
		o.Version = c.Version.String()
	}
	switch c.Kind {
	case holdfast.ChangePut:
		o.Size, o.ETag = &c.Size, c.ETag.String()
	case holdfast.ChangeMarker:
		o.ETag = emptyETag
	case holdfast.ChangeAttr:
		o.ETag = c.ETag.String()
		return o
	}
	// Sequences grow on one name server, and a key lives on one.
	o.Sequencer = fmt.Sprintf("%016X", c.Seq)
	return o
}

// encodeKey encodes a key as in a form, "+" for a space, but for slashes, which S3 leaves as they are.
func encodeKey(key string) string {
	return strings.ReplaceAll(url.QueryEscape(key), "%2F", "/")
}

// bucketInfo is what a message tells of a bucket beside its name.
type bucketInfo struct{ owner, region string }

// messageOf builds the message about a change: an object with one record. rule is the id of the configuration that asked for it.
func messageOf(c *holdfast.Change, n *volume.Note, name, rule string, b bucketInfo) ([]byte, error) {
	r := record{
		Version: "2.1", Source: "aws:s3", Region: b.region, Time: c.At.UTC().Format(timeForm), Name: name[len("s3:"):],
		User: identity{n.Requester},
	}
	r.Parameter.Address = n.Address
	if n.Event == Lifecycle {
		r.User.PrincipalID, r.Parameter.Address = "s3.amazonaws.com", "s3.amazonaws.com"
	}
	if n.Event == Lifecycle || c.Kind == holdfast.ChangeAttr {
		r.Version = "2.3"
	}
	r.Response.Request, r.Response.Host = n.Request, n.Host
	r.S3.Schema, r.S3.Configuration = "1.0", rule
	r.S3.Bucket.Name, r.S3.Bucket.Owner, r.S3.Bucket.ARN = n.Bucket, identity{b.owner}, "arn:aws:s3:::"+n.Bucket
	r.S3.Object = objectOf(c, n.Key)
	return json.Marshal(map[string][]record{"Records": {r}})
}

// TestEvent is the message that a target gets when a bucket is set up to send events to it.
type TestEvent struct {
	Service string `json:"Service"`
	Event   string `json:"Event"`
	Time    string `json:"Time"`
	Bucket  string `json:"Bucket"`
	Request string `json:"RequestId"`
	Host    string `json:"HostId"`
}

// newTestEvent builds the message.
func newTestEvent(bucket, request, host string, now time.Time) ([]byte, error) {
	return json.Marshal(TestEvent{
		Service: "Amazon S3", Event: "s3:TestEvent", Time: now.UTC().Format(timeForm), Bucket: bucket, Request: request, Host: host,
	})
}
