package gwtest

import (
	"encoding/xml"
	"strings"
)

// holdsXML checks that a document has this inside its root, which has the namespace of S3.
func (a *answer) holdsXML(root, inside string) *answer {
	a.t.Helper()
	var doc struct {
		XMLName xml.Name
		Inside  string `xml:",innerxml"`
	}
	a.xml(&doc)
	if doc.XMLName != (xml.Name{Space: namespace, Local: root}) || doc.Inside != inside {
		a.t.Errorf("%s: got %s, want %s with %s", a.what, a.body, root, inside)
	}
	return a
}

// says checks the message of an error.
func (a *answer) says(part string) *answer {
	a.t.Helper()
	var doc errorDocument
	if err := xml.Unmarshal(a.body, &doc); err != nil || !strings.Contains(doc.field("Message"), part) {
		a.t.Errorf("%s: got %s, want %q", a.what, a.body, part)
	}
	return a
}

// testSubresources asks for the small sub-resources of a bucket: as they are when nothing was set, and set.
func testSubresources(e *env) {
	e.sub("logging", testLoggingConfig)
	e.sub("notification", testNotificationConfig)
	e.sub("request payment", func(e *env) {
		const root = "RequestPaymentConfiguration"
		e.req("GET", e.on("requestPayment")).is(200).holdsXML(root, "<Payer>BucketOwner</Payer>")
		for _, payer := range []string{"Requester", "BucketOwner"} {
			inside := "<Payer>" + payer + "</Payer>"
			e.req("PUT", e.on("requestPayment"), text("<"+root+">"+inside+"</"+root+">")).is(200)
			e.req("GET", e.on("requestPayment")).is(200).holdsXML(root, inside)
		}
		e.req("PUT", e.on("requestPayment"), text("<"+root+"><Payer>me</Payer></"+root+">")).fails(400, "MalformedXML")
		e.req("DELETE", e.on("requestPayment")).fails(405, "MethodNotAllowed")
	})
	e.sub("accelerate", func(e *env) {
		const root = "AccelerateConfiguration"
		doc := func(status string) option {
			return text("<" + root + "><Status>" + status + "</Status></" + root + ">")
		}
		e.req("GET", e.on("accelerate")).is(200).holdsXML(root, "")
		e.req("PUT", e.on("accelerate"), doc("Enabled")).fails(400, "InvalidRequest")
		e.req("GET", e.on("accelerate")).is(200).holdsXML(root, "")
		e.req("PUT", e.on("accelerate"), doc("Suspended")).is(200)
		e.req("GET", e.on("accelerate")).is(200).holdsXML(root, "<Status>Suspended</Status>")
		e.req("PUT", e.on("accelerate"), doc("Off")).fails(400, "MalformedXML")
	})
	e.sub("none", func(e *env) {
		for query, root := range map[string]string{
			"inventory": "ListInventoryConfigurationsResult", "analytics": "ListBucketAnalyticsConfigurationResult",
			"metrics": "ListMetricsConfigurationsResult", "intelligent-tiering": "ListBucketIntelligentTieringConfigurationsOutput",
		} {
			e.req("GET", e.on(query)).is(200).holdsXML(root, "<IsTruncated>false</IsTruncated>")
			e.req("GET", e.on(query+"&id=a")).fails(404, "NoSuchConfiguration")
			e.req("DELETE", e.on(query+"&id=a")).fails(404, "NoSuchConfiguration")
			e.req("GET", "/"+randomName()+"?"+query).fails(404, "NoSuchBucket")
		}
	})
}

func testLoggingConfig(e *env) {
	const root = "BucketLoggingStatus"
	doc := func(bucket string) option {
		return text("<" + root + "><LoggingEnabled><TargetBucket>" + bucket + "</TargetBucket><TargetPrefix>logs/</TargetPrefix></LoggingEnabled></" + root + ">")
	}
	e.req("GET", e.on("logging")).is(200).holdsXML(root, "")
	target := e.newBucket()
	e.req("PUT", e.on("logging"), doc(target)).is(200).holds(nil)
	e.req("GET", e.on("logging")).is(200).
		holdsXML(root, "<LoggingEnabled><TargetBucket>"+target+"</TargetBucket><TargetPrefix>logs/</TargetPrefix></LoggingEnabled>")
	absent := randomName()
	e.req("PUT", e.on("logging"), doc(absent)).fails(400, "InvalidTargetBucketForLogging", "TargetBucket", absent).
		says("The target bucket for logging does not exist")
	e.req("PUT", e.on("logging"), text("<"+root+">")).fails(400, "MalformedXML")
	e.req("PUT", e.on("logging"), text("<"+root+"/>")).is(200)
	e.req("GET", e.on("logging")).is(200).holdsXML(root, "")
	e.req("GET", "/"+randomName()+"?logging").fails(404, "NoSuchBucket")
}

func testNotificationConfig(e *env) {
	const root = "NotificationConfiguration"
	rule := func(arn string) string {
		return "<QueueConfiguration><Id>a</Id><Queue>" + arn + "</Queue><Event>s3:ObjectCreated:*</Event>" +
			"<Filter><S3Key><FilterRule><Name>Prefix</Name><Value>a/</Value></FilterRule></S3Key></Filter></QueueConfiguration>"
	}
	doc := func(inside string) option { return text("<" + root + ">" + inside + "</" + root + ">") }
	e.req("GET", e.on("notification")).is(200).holdsXML(root, "")
	const absent = "arn:aws:sqs:us-east-1:123456789012:nowhere"
	e.req("PUT", e.on("notification"), doc(rule(absent))).
		fails(400, "InvalidArgument", "ArgumentName1", absent).says("Unable to validate the following destination configurations")
	e.req("PUT", e.on("notification"), doc(strings.ReplaceAll(rule(absent), "Prefix", "INFIX"))).
		fails(400, "InvalidArgument", "ArgumentName", "FilterRule.Name", "ArgumentValue", "INFIX").says("filter rule name must be either prefix or suffix")
	long := strings.Repeat("a", 1025)
	e.req("PUT", e.on("notification"), doc(strings.ReplaceAll(rule(absent), "a/", long))).
		fails(400, "InvalidArgument", "ArgumentName", "FilterRule.Value", "ArgumentValue", long)
	e.req("PUT", e.on("notification"), doc("<Rule/>")).fails(400, "MalformedXML")
	if e.creds.Target != "" {
		e.req("PUT", e.on("notification"), doc(rule(e.creds.Target))).is(200).holds(nil)
		e.req("GET", e.on("notification")).is(200).holdsXML(root, rule(e.creds.Target))
	}
	e.req("PUT", e.on("notification"), doc("")).is(200)
	e.req("GET", e.on("notification")).is(200).holdsXML(root, "")
}
