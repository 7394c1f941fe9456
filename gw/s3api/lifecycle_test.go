package s3api

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func oneRule(inside string) string {
	return "<LifecycleConfiguration><Rule>" + inside + "</Rule></LifecycleConfiguration>"
}

const (
	enabled = "<Status>Enabled</Status>"
	anyKey  = "<Filter/>"
	expires = "<Expiration><Days>1</Days></Expiration>"
)

func TestDecodeLifecycleErrors(t *testing.T) {
	and := func(conditions string) string { return "<Filter><And>" + conditions + "</And></Filter>" }
	tag := "<Tag><Key>k</Key><Value>v</Value></Tag>"
	for _, c := range []struct {
		name, doc string
		code      Code
		message   string // "": not looked at
	}{
		{"empty", "", MalformedXML, ""},
		{"no rule", "<LifecycleConfiguration/>", MalformedXML, ""},
		{"another root", "<Lifecycle><Rule/></Lifecycle>", MalformedXML, ""},
		{"no status", oneRule(anyKey + expires), MalformedXML, ""},
		{"status in lower case", oneRule(anyKey + expires + "<Status>enabled</Status>"), MalformedXML, ""},
		{"neither filter nor prefix", oneRule(enabled + expires), MalformedXML, ""},
		{"filter and prefix", oneRule(enabled + anyKey + "<Prefix/>" + expires), MalformedXML, ""},
		{"unknown element", oneRule(enabled + anyKey + expires + "<Foo/>"), MalformedXML, ""},
		{"expiration twice", oneRule(enabled + anyKey + expires + expires), MalformedXML, ""},
		{"no action", oneRule(enabled + anyKey), InvalidRequest, "At least one action needs to be specified in a rule."},
		{"long id", oneRule("<ID>" + strings.Repeat("x", 256) + "</ID>" + enabled + anyKey + expires), InvalidArgument, "ID length should not exceed allowed limit of 255"},
		{"same id", "<LifecycleConfiguration>" + strings.Repeat("<Rule><ID>a</ID>"+enabled+anyKey+expires+"</Rule>", 2) + "</LifecycleConfiguration>",
			InvalidArgument, "Rule ID must be unique. Found same ID for more than one rule"},
		{"legacy and modern", "<LifecycleConfiguration><Rule><ID>1</ID>" + enabled + anyKey + expires + "</Rule><Rule>" + enabled + "<Prefix>a</Prefix>" + expires +
			"</Rule></LifecycleConfiguration>", InvalidRequest, ""},
		{"long prefix", oneRule(enabled + "<Prefix>" + strings.Repeat("x", 1025) + "</Prefix>" + expires), InvalidRequest, "The maximum size of a prefix is 1024."},
		{"no days", oneRule(enabled + anyKey + "<Expiration><Days>0</Days></Expiration>"), InvalidArgument, "'Days' for Expiration action must be a positive integer"},
		{"days less than none", oneRule(enabled + anyKey + "<Expiration><Days>-1</Days></Expiration>"), InvalidArgument, ""},
		{"half a day", oneRule(enabled + anyKey + "<Expiration><Days>0.5</Days></Expiration>"), MalformedXML, ""},
		{"empty expiration", oneRule(enabled + anyKey + "<Expiration/>"), MalformedXML, ""},
		{"days and date", oneRule(enabled + anyKey + "<Expiration><Days>1</Days><Date>2030-01-01T00:00:00Z</Date></Expiration>"), MalformedXML, ""},
		{"no midnight", oneRule(enabled + anyKey + "<Expiration><Date>2030-01-01T00:00:01Z</Date></Expiration>"), InvalidArgument, "'Date' must be at midnight GMT"},
		{"no date", oneRule(enabled + anyKey + "<Expiration><Date>20300101</Date></Expiration>"), MalformedXML, ""},
		{"marker of its own", oneRule(enabled + anyKey + "<Expiration><ExpiredObjectDeleteMarker>maybe</ExpiredObjectDeleteMarker></Expiration>"), MalformedXML, ""},
		{"marker with tags", oneRule(enabled + "<Filter>" + tag + "</Filter><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>"), InvalidRequest, ""},
		{"noncurrent without days", oneRule(enabled + anyKey + "<NoncurrentVersionExpiration><NewerNoncurrentVersions>1</NewerNoncurrentVersions></NoncurrentVersionExpiration>"), MalformedXML, ""},
		{"noncurrent 0", oneRule(enabled + anyKey + "<NoncurrentVersionExpiration><NoncurrentDays>0</NoncurrentDays></NoncurrentVersionExpiration>"), InvalidArgument, ""},
		{"too many newer", oneRule(enabled + anyKey + "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays><NewerNoncurrentVersions>101</NewerNoncurrentVersions></NoncurrentVersionExpiration>"), InvalidArgument, ""},
		{"abort 0", oneRule(enabled + anyKey + "<AbortIncompleteMultipartUpload><DaysAfterInitiation>0</DaysAfterInitiation></AbortIncompleteMultipartUpload>"), InvalidArgument, ""},
		{"abort never", oneRule(enabled + anyKey + "<AbortIncompleteMultipartUpload/>"), MalformedXML, ""},
		{"abort with tags", oneRule(enabled + "<Filter>" + tag + "</Filter><AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>"), InvalidRequest, ""},
		{"two conditions", oneRule(enabled + "<Filter><Prefix>a</Prefix>" + tag + "</Filter>" + expires), MalformedXML, ""},
		{"and of one", oneRule(enabled + and(tag) + expires), MalformedXML, ""},
		{"and of two prefixes", oneRule(enabled + and("<Prefix>a</Prefix><Prefix>b</Prefix>") + expires), MalformedXML, ""},
		{"tag twice", oneRule(enabled + and(tag+tag) + expires), InvalidRequest, ""},
		{"tag without value", oneRule(enabled + "<Filter><Tag><Key>k</Key></Tag></Filter>" + expires), MalformedXML, ""},
		{"empty tag key", oneRule(enabled + "<Filter><Tag><Key/><Value/></Tag></Filter>" + expires), InvalidRequest, ""},
		{"negative size", oneRule(enabled + "<Filter><ObjectSizeLessThan>-1</ObjectSizeLessThan></Filter>" + expires), MalformedXML, ""},
		{"no size between", oneRule(enabled + and("<ObjectSizeGreaterThan>5</ObjectSizeGreaterThan><ObjectSizeLessThan>5</ObjectSizeLessThan>") + expires), InvalidRequest, ""},
		{"transition", oneRule(enabled + anyKey + "<Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition>"), NotImplemented, ""},
		{"noncurrent transition", oneRule(enabled + anyKey + "<NoncurrentVersionTransition><NoncurrentDays>1</NoncurrentDays><StorageClass>GLACIER</StorageClass></NoncurrentVersionTransition>"), NotImplemented, ""},
		{"transition of nothing", oneRule(enabled + anyKey + "<NoncurrentVersionTransition/>"), MalformedXML, ""},
		{"transition to nowhere", oneRule(enabled + anyKey + "<Transition><Days>1</Days></Transition>"), MalformedXML, ""},
		{"transition on no date", oneRule(enabled + anyKey + "<Transition><Date>20220927</Date><StorageClass>GLACIER</StorageClass></Transition>"), MalformedXML, ""},
		{"transition after no number", oneRule(enabled + anyKey + "<Transition><Days>-1</Days><StorageClass>GLACIER</StorageClass></Transition>"), MalformedXML, ""},
	} {
		_, err := DecodeLifecycle([]byte(c.doc), func() string { return "new" })
		var e *Error
		if !errors.As(err, &e) || e.Code != c.code || c.message != "" && e.Message != c.message {
			t.Errorf("%s: got %v, want %s %s", c.name, err, c.code, c.message)
		}
	}
}

func TestLifecycleRoundTrip(t *testing.T) {
	for _, rule := range []string{
		"<ID>a</ID><Prefix>p</Prefix>" + enabled + expires,
		"<ID>a</ID><Filter></Filter><Status>Disabled</Status>" + expires,
		"<ID>a</ID><Filter><Prefix></Prefix></Filter>" + enabled + "<Expiration><Date>2030-01-01T00:00:00.000Z</Date></Expiration>",
		"<ID>a</ID><Filter><Tag><Key>k</Key><Value></Value></Tag></Filter>" + enabled + expires,
		"<ID>a</ID><Filter><And><Prefix>p</Prefix><Tag><Key>k</Key><Value>&lt;</Value></Tag><ObjectSizeGreaterThan>0</ObjectSizeGreaterThan>" +
			"<ObjectSizeLessThan>9</ObjectSizeLessThan></And></Filter>" + enabled + expires,
		"<ID>a</ID><Filter><ObjectSizeLessThan>9</ObjectSizeLessThan></Filter>" + enabled +
			"<Expiration><ExpiredObjectDeleteMarker>false</ExpiredObjectDeleteMarker></Expiration>",
		"<ID>a</ID><Filter></Filter>" + enabled + "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>" +
			"<NoncurrentVersionExpiration><NoncurrentDays>3</NoncurrentDays><NewerNoncurrentVersions>2</NewerNoncurrentVersions></NoncurrentVersionExpiration>" +
			"<AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>",
	} {
		l, err := DecodeLifecycle([]byte(oneRule(rule)), nil)
		if err != nil {
			t.Errorf("%s: %v", rule, err)
			continue
		}
		if got := AppendLifecycle(nil, l); !bytes.Contains(got, []byte("<Rule>"+rule+"</Rule>")) {
			t.Errorf("got %s, want %s", got, rule)
		}
	}
	l, err := DecodeLifecycle([]byte(oneRule(enabled+anyKey+expires)), func() string { return "new" })
	if err != nil || l.Rules[0].ID != "new" {
		t.Errorf("got %+v, %v", l, err)
	}
}

func FuzzLifecycle(f *testing.F) {
	f.Add([]byte(oneRule(enabled + anyKey + expires)))
	f.Add([]byte(oneRule("<ID>x</ID><Prefix>p</Prefix>" + enabled + "<Expiration><Date>2030-01-01</Date></Expiration>")))
	f.Fuzz(func(t *testing.T, doc []byte) {
		l, err := DecodeLifecycle(doc, func() string { return "new" })
		if err != nil {
			return
		}
		first := AppendLifecycle(nil, l)
		again, err := DecodeLifecycle(first, nil)
		if err != nil {
			t.Fatalf("%v in %s", err, first)
		}
		if second := AppendLifecycle(nil, again); !bytes.Equal(first, second) {
			t.Errorf("got %s, want %s", second, first)
		}
	})
}
