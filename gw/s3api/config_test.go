package s3api

import (
	"strings"
	"testing"
)

// configCase is a document of a configuration and what becomes of it: the body of the canonical document, or an error.
type configCase struct {
	name, body string // inside the root
	want       string // inside the canonical root; "same" for the body itself
	code       Code
	message    string // part of the error's
}

// testConfig runs the cases. canonical decodes a document and appends what it means.
func testConfig(t *testing.T, root string, canonical func(body []byte) ([]byte, error), cases []configCase) {
	t.Helper()
	for _, tt := range cases {
		for _, open := range []string{"<" + root + ">", `<?xml version="1.0"?><` + root + ` xmlns="` + xmlNamespace + `">`} {
			got, err := canonical([]byte(open + tt.body + "</" + root + ">"))
			if codeOf(err) != tt.code {
				t.Errorf("%s: got %v, want %v", tt.name, err, tt.code)
				continue
			}
			if err != nil {
				if text := AsError(err).text(); !strings.Contains(text, tt.message) {
					t.Errorf("%s: got %q, want %q", tt.name, text, tt.message)
				}
				continue
			}
			want := tt.want
			if want == "same" {
				want = tt.body
			}
			want = xmlHeader + "<" + root + ` xmlns="` + xmlNamespace + `">` + want + "</" + root + ">"
			if string(got) != want {
				t.Errorf("%s: got %s, want %s", tt.name, got, want)
			}
			if again, err := canonical(got); err != nil || string(again) != string(got) {
				t.Errorf("%s: the canonical document gives %s, %v", tt.name, again, err)
			}
		}
	}
}

func canonicalLogging(body []byte) ([]byte, error) {
	c, err := DecodeLogging(body)
	if err != nil {
		return nil, err
	}
	return c.Append(nil), nil
}

func TestLoggingConfig(t *testing.T) {
	const target = "<TargetBucket>logs</TargetBucket><TargetPrefix>a/</TargetPrefix>"
	enabled := func(inside string) string { return "<LoggingEnabled>" + inside + "</LoggingEnabled>" }
	format := func(inside string) string { return "<TargetObjectKeyFormat>" + inside + "</TargetObjectKeyFormat>" }
	partitioned := func(source string) string {
		return format("<PartitionedPrefix><PartitionDateSource>" + source + "</PartitionDateSource></PartitionedPrefix>")
	}
	testConfig(t, "BucketLoggingStatus", canonicalLogging, []configCase{
		{"off", "", "same", "", ""},
		{"on", enabled(target), "same", "", ""},
		{"empty prefix", enabled("<TargetBucket>logs</TargetBucket><TargetPrefix/>"), enabled("<TargetBucket>logs</TargetBucket><TargetPrefix></TargetPrefix>"), "", ""},
		{"simple", enabled(target + format("<SimplePrefix/>")), enabled(target + format("<SimplePrefix></SimplePrefix>")), "", ""},
		{"event time", enabled(target + partitioned("EventTime")), "same", "", ""},
		{"delivery time", enabled(target + partitioned("DeliveryTime")), "same", "", ""},
		{"no grants", enabled(target + "<TargetGrants/>"), enabled(target), "", ""},
		{"grants", enabled(target + "<TargetGrants><Grant/></TargetGrants>"), "", NotImplemented, "TargetGrants"},
		{"other source", enabled(target + partitioned("Now")), "", MalformedXML, ""},
		{"no source", enabled(target + format("<PartitionedPrefix/>")), "", MalformedXML, ""},
		{"two formats", enabled(target + format("<SimplePrefix/><SimplePrefix/>")), "", MalformedXML, ""},
		{"no prefix", enabled("<TargetBucket>logs</TargetBucket>"), "", MalformedXML, ""},
		{"no bucket", enabled("<TargetPrefix>a</TargetPrefix>"), "", MalformedXML, ""},
		{"twice", enabled(target) + enabled(target), "", MalformedXML, ""},
		{"unknown", "<Foo/>", "", MalformedXML, ""},
	})
}

func canonicalNotification(body []byte) ([]byte, error) {
	c, err := DecodeNotification(body)
	if err != nil {
		return nil, err
	}
	return c.Append(nil), nil
}

func TestNotificationConfig(t *testing.T) {
	const arn = "arn:holdfast:sqs::one:webhook"
	rule := func(kind, target, inside string) string {
		return "<" + kind + "><Id>a</Id><" + target + ">" + arn + "</" + target + ">" + inside + "</" + kind + ">"
	}
	queue := func(inside string) string { return rule("QueueConfiguration", "Queue", inside) }
	second := func(inside string) string { return strings.Replace(queue(inside), "<Id>a</Id>", "<Id>b</Id>", 1) }
	filter := func(pairs ...string) string {
		text := "<Filter><S3Key>"
		for i := 0; i < len(pairs); i += 2 {
			text += "<FilterRule><Name>" + pairs[i] + "</Name><Value>" + pairs[i+1] + "</Value></FilterRule>"
		}
		return text + "</S3Key></Filter>"
	}
	const put, all = "<Event>s3:ObjectCreated:Put</Event>", "<Event>s3:ObjectCreated:*</Event>"
	const removed = "<Event>s3:ObjectRemoved:Delete</Event>"
	testConfig(t, "NotificationConfiguration", canonicalNotification, []configCase{
		{"none", "", "same", "", ""},
		{"queue", queue(put), "same", "", ""},
		{"topic", rule("TopicConfiguration", "Topic", all), "same", "", ""},
		{"function", rule("CloudFunctionConfiguration", "CloudFunction", all), "same", "", ""},
		{"filter", queue(put + filter("Prefix", "a/", "Suffix", ".jpg")), "same", "", ""},
		{"filter in small letters", queue(put + filter("suffix", ".jpg", "prefix", "a/")), queue(put + filter("Prefix", "a/", "Suffix", ".jpg")), "", ""},
		{"empty filter", queue(put + filter()), queue(put), "", ""},
		{"other events", queue(put) + second(removed), "same", "", ""},
		{"other prefixes", queue(put+filter("Prefix", "a/")) + second(put+filter("Prefix", "b/")), "same", "", ""},
		{"other suffixes", queue(put+filter("Suffix", "a")) + second(put+filter("Suffix", "b")), "same", "", ""},
		{"made id", strings.Replace(queue(put), "<Id>a</Id>", "", 1), strings.Replace(queue(put), "<Id>a</Id>", "<Id>bfab721d1e621d887de47510fe3d91d8</Id>", 1), "", ""},
		{"same id", queue(put) + queue(removed), "", InvalidArgument, "unique"},
		{"same events", queue(put) + second(put), "", InvalidArgument, "common event type"},
		{"overlapping events", queue(put) + second(all), "", InvalidArgument, "common event type"},
		{"overlapping events of a rule", queue(put + all), "", InvalidArgument, "common event type"},
		{"overlapping prefixes", queue(put+filter("Prefix", "a/")) + second(put+filter("Prefix", "a/b")), "", InvalidArgument, "ambiguously"},
		{"a prefix and none", queue(put+filter("Prefix", "a/")) + second(put), "", InvalidArgument, "ambiguously"},
		{"two prefixes", queue(put + filter("prefix", "a", "prefix", "b")), "", InvalidArgument, "more than one prefix"},
		{"two suffixes", queue(put + filter("suffix", "a", "suffix", "b")), "", InvalidArgument, "more than one suffix"},
		{"other filter", queue(put + filter("infix", "a")), "", InvalidArgument, "either prefix or suffix"},
		{"long filter", queue(put + filter("prefix", strings.Repeat("a", 1025))), "", InvalidArgument, "1024 bytes"},
		{"long id", strings.Replace(queue(put), ">a<", ">"+strings.Repeat("a", 256)+"<", 1), "", InvalidArgument, "255"},
		{"unknown event", queue("<Event>s3:ObjectCreated</Event>"), "", InvalidArgument, "not supported"},
		{"no event", queue(""), "", MalformedXML, ""},
		{"no target", "<QueueConfiguration>" + put + "</QueueConfiguration>", "", MalformedXML, ""},
		{"target of another kind", rule("QueueConfiguration", "Topic", put), "", MalformedXML, ""},
		{"not an arn", strings.Replace(queue(put), arn, "http://host/", 1), "", InvalidArgument, "ARN"},
		{"event bridge", "<EventBridgeConfiguration/>", "", NotImplemented, "EventBridge"},
		{"too many", strings.Repeat(queue(put), 101), "", InvalidRequest, "100"},
	})
}

func TestNotificationMatch(t *testing.T) {
	prefix, suffix := "a/", ".jpg"
	r := NotificationRule{Events: []string{"s3:ObjectCreated:*", "s3:ObjectRemoved:Delete"}, Prefix: &prefix, Suffix: &suffix}
	for _, tt := range []struct {
		event, key string
		want       bool
	}{
		{"s3:ObjectCreated:Put", "a/b.jpg", true},
		{"s3:ObjectRemoved:Delete", "a/b.jpg", true},
		{"s3:ObjectRemoved:DeleteMarkerCreated", "a/b.jpg", false},
		{"s3:ObjectCreated:Put", "b.jpg", false},
		{"s3:ObjectCreated:Put", "a/b.png", false},
	} {
		if got := r.Match(tt.event, tt.key); got != tt.want {
			t.Errorf("%s %s: got %t", tt.event, tt.key, got)
		}
	}
}

func TestWordConfigs(t *testing.T) {
	testConfig(t, "RequestPaymentConfiguration", func(body []byte) ([]byte, error) {
		payer, err := DecodeRequestPayment(body)
		return AppendRequestPayment(nil, payer), err
	}, []configCase{
		{"requester", "<Payer>Requester</Payer>", "same", "", ""},
		{"owner", "<Payer>BucketOwner</Payer>", "same", "", ""},
		{"nobody", "", "", MalformedXML, ""},
		{"other", "<Payer>requester</Payer>", "", MalformedXML, ""},
		{"twice", "<Payer>Requester</Payer><Payer>Requester</Payer>", "", MalformedXML, ""},
	})
	testConfig(t, "AccelerateConfiguration", func(body []byte) ([]byte, error) {
		status, err := DecodeAccelerate(body)
		return AppendAccelerate(nil, status), err
	}, []configCase{
		{"on", "<Status>Enabled</Status>", "same", "", ""},
		{"off", "<Status>Suspended</Status>", "same", "", ""},
		{"other", "<Status>Disabled</Status>", "", MalformedXML, ""},
	})
}

func canonicalCORS(body []byte) ([]byte, error) {
	c, err := DecodeCORS(body)
	if err != nil {
		return nil, err
	}
	return c.Append(nil), nil
}

func TestCORSConfig(t *testing.T) {
	rule := func(inside string) string { return "<CORSRule>" + inside + "</CORSRule>" }
	const least = "<AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin>"
	testConfig(t, "CORSConfiguration", canonicalCORS, []configCase{
		{"least", rule(least), "same", "", ""},
		{"empty origin", rule("<AllowedMethod>GET</AllowedMethod><AllowedOrigin></AllowedOrigin>"), "same", "", ""},
		{"another order", rule("<AllowedOrigin>*</AllowedOrigin><ID>a</ID><AllowedMethod>GET</AllowedMethod>"), rule("<ID>a</ID>" + least), "", ""},
		{"no age", rule(least + "<MaxAgeSeconds/>"), "", MalformedXML, ""},
		{"shape before values", rule("<AllowedMethod>X</AllowedMethod><AllowedOrigin>*</AllowedOrigin>") + "<Rule/>", "", MalformedXML, ""},
		{"line in a header", rule(least + "<ExposeHeader>a&#10;b</ExposeHeader>"), "", InvalidRequest, "invalid character"},
		{"two ids", rule("<ID>a</ID><ID>b</ID>" + least), "", MalformedXML, ""},
	})
}

// FuzzConfigs holds each decoder to its promise: no panic, and what it accepts has a canonical form that means the same.
func FuzzConfigs(f *testing.F) {
	f.Add([]byte(`<BucketLoggingStatus><LoggingEnabled><TargetBucket>b</TargetBucket><TargetPrefix/></LoggingEnabled></BucketLoggingStatus>`))
	f.Add([]byte(`<NotificationConfiguration><QueueConfiguration><Queue>arn:a:b:c:d:e</Queue><Event>s3:ObjectCreated:Put</Event>` +
		`<Filter><S3Key><FilterRule><Name>prefix</Name><Value>a</Value></FilterRule></S3Key></Filter></QueueConfiguration></NotificationConfiguration>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, canonical := range canonicals {
			doc, err := canonical(body)
			if err != nil {
				if AsError(err).Code == InternalError {
					t.Errorf("%q: %v", body, err)
				}
				continue
			}
			if again, err := canonical(doc); err != nil || string(again) != string(doc) {
				t.Errorf("%q gives %s, which gives %s, %v", body, doc, again, err)
			}
		}
	})
}

// canonicals decode and append each kind of configuration.
var canonicals = []func([]byte) ([]byte, error){canonicalLogging, canonicalNotification, canonicalCORS, canonicalWebsite, canonicalEncryption}

func canonicalWebsite(body []byte) ([]byte, error) {
	c, err := DecodeWebsite(body)
	if err != nil {
		return nil, err
	}
	return c.Append(nil), nil
}

func TestWebsiteDomains(t *testing.T) {
	api, sites := NewDomains([]string{"s3.test", "a.web.test"}), NewDomains([]string{"web.test", "web.s3.test"})
	for _, tt := range []struct {
		host, bucket string
		ok           bool
	}{
		{"photos.web.test", "photos", true}, {"Photos.Web.Test:8080", "photos", true}, {"a.b.web.test.", "a.b", true}, {"photos.web.s3.test", "photos", true},
		{"web.test", "", false}, {"photos.s3.test", "", false}, {"web.s3.test", "", false}, {"x.a.web.test", "x", false}, {"photos.test", "", false}, {"127.0.0.1", "", false},
	} {
		if bucket, ok := api.Site(sites, tt.host); ok != tt.ok || ok && bucket != tt.bucket {
			t.Errorf("%s: got %q, %t", tt.host, bucket, ok)
		}
	}
}

func canonicalReplication(body []byte) ([]byte, error) {
	c, err := DecodeReplication(body)
	if err != nil {
		return nil, err
	}
	return c.Append(nil), nil
}

func TestReplicationConfig(t *testing.T) {
	const to, on, role = "<Destination><Bucket>arn:aws:s3:::target</Bucket></Destination>", "<Status>Enabled</Status>", "<Role>r</Role>"
	const keep = "<DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication>"
	const copies = "<DeleteMarkerReplication><Status>Enabled</Status></DeleteMarkerReplication>"
	const tag = "<Tag><Key>k</Key><Value>v</Value></Tag>"
	rule := func(inside string) string { return role + "<Rule><ID>a</ID>" + inside + "</Rule>" }
	testConfig(t, "ReplicationConfiguration", canonicalReplication, []configCase{
		{"first version", rule("<Prefix>p</Prefix>" + on + to), "same", "", ""},
		{"no prefix", rule(on + to), rule("<Prefix></Prefix>" + on + to), "", ""},
		{"empty filter", rule("<Priority>0</Priority><Filter></Filter>" + on + to + keep), "same", "", ""},
		{"prefix filter", rule("<Priority>0</Priority><Filter><Prefix>p</Prefix></Filter>" + on + to + copies), "same", "", ""},
		{"tag filter", rule("<Priority>0</Priority><Filter>" + tag + "</Filter>" + on + to + keep), "same", "", ""},
		{"both", rule("<Priority>0</Priority><Filter><And><Prefix>p</Prefix>" + tag + "</And></Filter>" + on + to + keep), "same", "", ""},
		{"tag and markers", rule("<Priority>0</Priority><Filter>" + tag + "</Filter>" + on + to + copies), "", InvalidRequest, "Delete marker replication is not supported"},
		{"no priority", rule("<Filter/>" + on + to + keep), "", InvalidRequest, "Priority must be specified"},
		{"no markers", rule("<Priority>0</Priority><Filter/>" + on + to), "", InvalidRequest, "DeleteMarkerReplication must be specified"},
		{"two filters", rule("<Priority>0</Priority><Filter><Prefix>p</Prefix>" + tag + "</Filter>" + on + to + keep), "", MalformedXML, ""},
		{"filter and prefix", rule("<Priority>0</Priority><Prefix/><Filter/>" + on + to + keep), "", MalformedXML, ""},
		{"same id", rule(on+to) + strings.TrimPrefix(rule(on+to), role), "", InvalidArgument, "unique"},
		{"times", rule(on + "<Destination><Bucket>arn:aws:s3:::target</Bucket><Metrics/></Destination>"), "", NotImplemented, "Metrics"},
		{"no role", "<Rule>" + on + to + "</Rule>", "", MalformedXML, ""},
		{"no rule", role, "", MalformedXML, ""},
		{"another class", rule(on + strings.Replace(to, "</Bucket>", "</Bucket><StorageClass>X</StorageClass>", 1)), "", MalformedXML, ""},
	})
}
