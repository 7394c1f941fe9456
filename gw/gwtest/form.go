package gwtest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"time"

	"holdfast/gw/sigv2"
	"holdfast/gw/sigv4"
)

// formFields are the fields of a form: name, value, name, value. The field "file" is the file, and "filename" what it is called if not
// "".
type formFields []string

// with returns the fields with some replaced, added, or (value "-") removed.
func (f formFields) with(pairs ...string) formFields {
	out := append(formFields(nil), f...)
next:
	for i := 0; i < len(pairs); i += 2 {
		for j := 0; j < len(out); j += 2 {
			if out[j] != pairs[i] {
				continue
			}
			if pairs[i+1] == "-" {
				out = append(out[:j], out[j+2:]...)
			} else {
				out[j+1] = pairs[i+1]
			}
			continue next
		}
		out = append(formFields{pairs[i], pairs[i+1]}, out...) // the file stays last
	}
	return out
}

// form is the request body for fields.
func formBody(fields formFields, fileName string) option {
	return func(r *request) {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for i := 0; i < len(fields); i += 2 {
			create := w.CreateFormField
			if fields[i] == "file" && fileName != "" {
				create = func(name string) (io.Writer, error) { return w.CreateFormFile(name, fileName) }
			}
			part, err := create(fields[i])
			if err == nil {
				_, err = part.Write([]byte(fields[i+1]))
			}
			if err != nil {
				panic(err) // a Buffer takes all
			}
		}
		_ = w.Close() // as above
		body(b.Bytes())(r)
		r.Header.Set("Content-Type", w.FormDataContentType())
	}
}

// post posts a form to the group's bucket.
func (e *env) post(fields formFields, opts ...option) *answer {
	e.T.Helper()
	return e.req("POST", e.on(""), append([]option{formBody(fields, "foo.txt"), anonymous}, opts...)...)
}

// conditions are those of the forms below, and more.
func (e *env) conditions(more ...any) []any {
	return append([]any{map[string]string{"bucket": e.bucket}, []any{"starts-with", "$key", "foo"}, []any{"starts-with", "$Content-Type", "text/plain"},
		[]any{"content-length-range", 0, 1024}}, more...)
}

// policyDoc is a policy that is good for a while.
func policyDoc(conditions []any) map[string]any {
	return map[string]any{"expiration": time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05Z"), "conditions": conditions}
}

// signedV2 returns the fields of a form with this policy, signed with version 2.
func (e *env) signedV2(policy any) formFields {
	encoded := encodePolicy(policy)
	return formFields{
		"key", "foo.txt", "AWSAccessKeyId", e.creds.AccessKey, "signature", sigv2.SignPost(e.creds.SecretKey, encoded),
		"policy", encoded, "Content-Type", "text/plain", "file", "bar",
	}
}

// signedV4 is signedV2 for version 4.
func (e *env) signedV4(conditions []any) formFields {
	now := time.Now().UTC()
	date, day := now.Format("20060102T150405Z"), now.Format("20060102")
	credential := e.creds.AccessKey + "/" + day + "/" + e.creds.Region + "/s3/aws4_request"
	conditions = append(conditions, map[string]string{"x-amz-algorithm": "AWS4-HMAC-SHA256"},
		map[string]string{"X-Amz-Credential": credential}, map[string]string{"x-amz-date": date})
	encoded := encodePolicy(policyDoc(conditions))
	return formFields{
		"key", "foo.txt", "X-Amz-Algorithm", "AWS4-HMAC-SHA256", "x-amz-credential", credential, "X-Amz-Date", date, "Policy", encoded,
		"X-Amz-Signature", sigv4.SignPost(e.creds.SecretKey, day, e.creds.Region, "s3", encoded), "Content-Type", "text/plain", "file", "bar",
	}
}

func encodePolicy(policy any) string {
	data, err := json.Marshal(policy)
	if text, ok := policy.(string); ok {
		data, err = []byte(text), nil
	}
	if err != nil {
		panic(err) // the policies of this suite are plain values
	}
	return base64.StdEncoding.EncodeToString(data)
}

func testForm(e *env) {
	e.sub("answers", testFormAnswers)
	e.sub("fields", testFormFields)
	e.sub("policy", testFormPolicy)
	e.sub("documents", testFormDocuments)
	e.sub("signatures", testFormSignatures)
	e.sub("bodies", testFormBodies)
	e.sub("anonymous", testFormAnonymous)
}

// testFormAnonymous posts to a bucket that everybody may write to.
func testFormAnonymous(e *env) {
	e.req("PUT", e.on("publicAccessBlock"), text(`<PublicAccessBlockConfiguration xmlns="`+namespace+`"/>`)).is(200)
	e.req("PUT", e.on("ownershipControls"), text(`<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>`)).is(200)
	e.req("PUT", e.on("acl"), header("X-Amz-Acl", "public-read-write")).mustBe(200)
	defer e.req("PUT", e.on("acl"), header("X-Amz-Acl", "private"))
	fields := formFields{"key", "foo.txt", "acl", "public-read", "Content-Type", "text/plain", "file", "bar"}
	e.post(fields).is(204).holds(nil)
	e.req("GET", e.at("foo.txt"), anonymous).is(200).holds([]byte("bar")).has("Content-Type", "text/plain")
	e.post(fields.with("success_action_status", "201", "x-amz-meta-a", "1")).is(201)
	const tags = `<Tagging><TagSet><Tag><Key>0</Key><Value>a b</Value></Tag><Tag><Key>1</Key><Value></Value></Tag></TagSet></Tagging>`
	e.post(fields.with("tagging", tags)).is(204)
	e.req("GET", e.at("foo.txt")+"?tagging").is(200).holdsXML("Tagging", strings.TrimSuffix(strings.TrimPrefix(tags, "<Tagging>"), "</Tagging>"))
	e.post(fields.with("tagging", "not-xml")).fails(400, "MalformedXML")
	e.post(fields.with("AWSAccessKeyId", "foo")).fails(400, "InvalidArgument") // half a signature is not none
}

func testFormAnswers(e *env) {
	at := e.endpoint + "/" + e.bucket + "/"
	tag := `"37b51d194a7513e45b56f6524f2d51f2"` // of "bar"
	for name, fields := range map[string]formFields{"V2": e.signedV2(policyDoc(e.conditions())), "V4": e.signedV4(e.conditions())} {
		e.sub(name, func(e *env) {
			e.post(fields).is(204).holds(nil).has("ETag", tag, "Location", at+"foo.txt").lacks("Content-Type")
			e.get("foo.txt").is(200).holds([]byte("bar")).has("Content-Type", "text/plain", "ETag", tag)
			e.req("DELETE", e.at("foo.txt")).is(204)
		})
	}
	all := e.conditions([]any{"starts-with", "$success_action_status", ""}, []any{"starts-with", "$success_action_redirect", ""}, []any{"starts-with", "$redirect", ""})
	fields := e.signedV2(policyDoc(all))
	e.post(fields.with("success_action_status", "200")).is(200).holds(nil)
	e.post(fields.with("success_action_status", "404")).is(204).holds(nil)
	a := e.post(fields.with("success_action_status", "201", "key", "foo/é +.txt")).is(201)
	var got struct {
		XMLName                     xml.Name `xml:"PostResponse"`
		Location, Bucket, Key, ETag string
	}
	a.xml(&got)
	where := at + "foo%2F%C3%A9%20%2B.txt"
	if got.XMLName.Space != "" || got.Location != where || got.Bucket != e.bucket || got.Key != "foo/é +.txt" || got.ETag != tag {
		e.Errorf("got %s", a.body)
	}
	a.has("Location", where, "ETag", tag)
	query := "bucket=" + e.bucket + "&key=foo.txt&etag=" + url.QueryEscape(tag)
	for target, want := range map[string]string{
		"http://a.test/done": "http://a.test/done?" + query, "https://a.test/?a=b c": "https://a.test/?a=b c&" + query, "http://a.test/#top": "http://a.test/?" + query + "#top",
	} {
		e.post(fields.with("success_action_redirect", target)).is(303).holds(nil).has("Location", want)
		e.post(fields.with("redirect", target)).is(303).has("Location", want)
	}
	e.post(fields.with("success_action_redirect", "/relative")).is(204)
}

func testFormFields(e *env) {
	conditions := e.conditions([]any{"starts-with", "$x-amz-meta-foo", "bar"}, []any{"starts-with", "$Cache-Control", ""},
		[]any{"starts-with", "$x-amz-storage-class", ""}, []any{"starts-with", "$acl", ""})
	fields := e.signedV2(policyDoc(conditions)).with("x-amz-meta-foo", "barclamp")
	e.post(fields.with("kEy", "foo1", "key", "-", "cache-CONTROL", "no-cache", "x-amz-storage-class", "STANDARD_IA", "acl", "private", "x-ignore-this", "1")).is(204)
	e.get("foo1").is(200).has("X-Amz-Meta-Foo", "barclamp", "Cache-Control", "no-cache", "X-Amz-Storage-Class", "STANDARD_IA")
	e.post(fields.with("x-amz-storage-class", "FAKE")).fails(400, "InvalidStorageClass")
	e.post(fields.with("x-amz-meta-foo", "bar"+strings.Repeat("x", 3000))).fails(400, "MetadataTooLarge")
	e.post(fields, header("X-Amz-Acl", "no-such-acl"), header("Cache-Control", "none")).is(204) // headers are not fields
	if got := e.get("foo.txt").is(200).header.Get("Cache-Control"); got != "" {
		e.Errorf("Cache-Control %q came from a header of the form's request", got)
	}
	for name, want := range map[string]string{"foo.jpg": "foo/foo.jpg", `C:\dir\b.jpg`: "foo/b.jpg", "a/b/c d.jpg": "foo/c d.jpg"} {
		e.req("POST", e.on(""), formBody(fields.with("key", "foo/${filename}"), name), anonymous).is(204)
		e.get(want).is(200).holds([]byte("bar"))
	}
	e.req("POST", e.on(""), formBody(fields.with("key", "foo-${filename}"), ""), anonymous).is(204)
	e.get("foo-${filename}").is(200)
	for _, sum := range []struct {
		value  string
		status int
	}{{"/N4rLtula/QIYB+3If6bXDONEO5CnqBPrlURto+/j7k=", 204}, {"sailorjerry", 400}, {"AN4rLtula/QIYB+3If6bXDONEO5CnqBPrlURto+/j7k=", 400}} {
		e.post(fields.with("x-amz-checksum-sha256", sum.value)).is(sum.status)
	}
	e.get("foo.txt", header("X-Amz-Checksum-Mode", "ENABLED")).is(200).has("X-Amz-Checksum-Sha256", "/N4rLtula/QIYB+3If6bXDONEO5CnqBPrlURto+/j7k=")
}

func testFormPolicy(e *env) {
	const failed = "Invalid according to Policy: Policy Condition failed: "
	fields := e.signedV2(policyDoc(e.conditions([]any{"eq", "$x-amz-meta-a", "1"}, map[string]string{"x-amz-meta-b": `"2"`}))).with("x-amz-meta-a", "1", "x-amz-meta-b", `"2"`)
	e.post(fields).is(204)
	for _, tt := range []struct {
		fields  formFields
		message string
	}{
		{fields.with("key", "bar.txt"), failed + `["starts-with", "$key", "foo"]`},
		{fields.with("x-amz-meta-a", "2"), failed + `["eq", "$x-amz-meta-a", "1"]`},
		{fields.with("x-amz-meta-b", "-"), failed + `["eq", "$x-amz-meta-b", "\"2\""]`},
		{fields.with("Content-Type", "text/html"), failed + `["starts-with", "$Content-Type", "text/plain"]`},
		{fields.with("Content-Type", "text/plain,text/html"), failed + `["starts-with", "$Content-Type", "text/plain"]`},
		{fields.with("x-amz-meta-c", "1"), "Invalid according to Policy: Extra input fields: x-amz-meta-c"},
		{fields.with("Filename", "a"), "Invalid according to Policy: Extra input fields: Filename"},
	} {
		e.post(tt.fields).fails(403, "AccessDenied").says(tt.message)
	}
	other := e.newBucket()
	e.req("POST", "/"+other, formBody(fields, "a"), anonymous).fails(403, "AccessDenied").says(failed + `["eq", "$bucket", "` + e.bucket + `"]`)
	e.post(e.signedV2(policyDoc([]any{[]any{"starts-with", "$key", ""}, []any{"starts-with", "$Content-Type", ""}}))).fails(403, "AccessDenied")
	e.post(e.signedV2(policyDoc(e.conditions([]any{"eq", "key", "foo.txt"})))).fails(403, "AccessDenied").says(failed + `["eq", "key", "foo.txt"]`)
	expired := policyDoc(e.conditions())
	expired["expiration"] = time.Now().Add(-time.Minute).UTC().Format("2006-01-02T15:04:05.000Z")
	e.post(e.signedV2(expired)).fails(403, "AccessDenied").says("Invalid according to Policy: Policy expired.")
	sized := e.signedV2(policyDoc(e.conditions([]any{"content-length-range", 5, "10"})))
	e.post(sized.with("file", "123456789012")).fails(400, "EntityTooLarge", "ProposedSize", "12", "MaxSizeAllowed", "10")
	e.post(sized.with("file", "1")).fails(400, "EntityTooSmall", "ProposedSize", "1", "MinSizeAllowed", "5")
	e.post(sized.with("file", "12345")).is(204)
	e.post(sized.with("file", "1234567890")).is(204)
	e.post(e.signedV2(policyDoc(e.conditions([]any{"content-length-range", "test", "10"})))).fails(403, "AccessDenied").
		says(failed + `["content-length-range", "test", "10"]`)
	cased := policyDoc([]any{map[string]string{"bUcKeT": e.bucket}, []any{"StArTs-WiTh", "$KeY", "foo"}, []any{"StArTs-WiTh", "$CoNtEnT-TyPe", "text/plain"}})
	e.post(e.signedV2(cased)).is(204)
}

func testFormDocuments(e *env) {
	when := time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05Z")
	with := func(conditions string) string {
		return fmt.Sprintf(`{"expiration": %q, "conditions": %s}`, when, conditions)
	}
	for doc, message := range map[string]string{
		"{":                                      "Invalid Policy: Invalid JSON.",
		with("[{}]"):                             "Invalid Policy: Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
		with(`[{"a": "b", "c": "d"}]`):           "Invalid Policy: Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
		with(`[{"a": 1}]`):                       "Invalid Policy: Invalid Simple-Condition: value must be a string.",
		with(`[{"a": null}]`):                    "Invalid Policy: Invalid JSON.",
		with(`[[]]`):                             "Invalid Policy: Invalid Condition: missing operation identifier.",
		with(`[["content-length-range", 0]]`):    "Invalid Policy: Invalid content-length-range: wrong number of arguments.",
		with(`[["content-length-range",-1,0]]`):  "Invalid Policy: Invalid content-length-range",
		with(`[["content-length-range",0,1.5]]`): "Invalid Policy: Invalid JSON.",
		with(`[["ends-with", "$key", "a"]]`):     "Invalid Policy: Invalid Condition: unknown operation 'ends-with'.",
		with(`{}`):                               "Invalid Policy: Invalid 'conditions' value: must be a List.",
		with(`[1]`):                              "Invalid Policy",
		`{"conditions": []}`:                     "Invalid Policy: Policy missing expiration.",
		`{"EXPIRATION": "` + when + `", "conditions": []}`:              "Invalid Policy: Unexpected: 'expiration'",
		`{"expiration": "` + when + `"}`:                                "Invalid Policy: Policy missing conditions.",
		`{"expiration": "2011-09-13T07:52:58+02:00", "conditions": []}`: "Invalid Policy: Invalid 'expiration' value: '2011-09-13T07:52:58+02:00'",
	} {
		e.post(e.signedV2(doc)).fails(400, "InvalidPolicyDocument").says(message)
	}
}

func testFormSignatures(e *env) {
	const check = "If it is specified, please check the order of the fields."
	for _, fields := range []formFields{e.signedV2(policyDoc(e.conditions())), e.signedV4(e.conditions())} {
		signature, key := "signature", "AWSAccessKeyId"
		if fields[2] == "X-Amz-Algorithm" {
			signature, key = "X-Amz-Signature", "x-amz-credential"
		}
		e.post(fields.with(signature, "wrong")).fails(403, "SignatureDoesNotMatch", "AWSAccessKeyId", e.creds.AccessKey, "SignatureProvided", "wrong")
		e.post(fields.with(signature, "-")).fails(400, "InvalidArgument", "ArgumentValue", "").says(check)
		nobody := strings.Replace(fields.value(key), e.creds.AccessKey, "AKIDNOBODY", 1)
		e.post(fields.with(key, nobody)).fails(403, "InvalidAccessKeyId", "AWSAccessKeyId", "AKIDNOBODY")
		e.post(fields.with(key, "-")).fails(400, "InvalidArgument").says(check)
		e.post(fields.with("key", "-")).fails(400, "InvalidArgument", "ArgumentName", "key", "ArgumentValue", "").
			says("Bucket POST must contain a field named 'key'.  " + check)
	}
	v4 := e.signedV4(e.conditions())
	e.post(v4.with("X-Amz-Algorithm", "-", "x-amz-credential", "-")).fails(400, "InvalidArgument", "ArgumentName", "X-Amz-Algorithm")
	e.post(v4.with("X-Amz-Algorithm", "AWS4-HMAC-SHA1")).fails(400, "InvalidArgument")
	e.post(v4.with("X-Amz-Date", "today")).fails(400, "InvalidArgument", "ArgumentName", "X-Amz-Date", "ArgumentValue", "today")
	mars := strings.Replace(v4.value("x-amz-credential"), e.creds.Region, "mars-1", 1)
	e.post(v4.with("x-amz-credential", mars)).fails(400, "InvalidArgument", "ArgumentName", "X-Amz-Credential", "ArgumentValue", mars, "Region", e.creds.Region)
	// Without any of the fields of a signature the caller is anonymous, whatever the policy says.
	e.post(formFields{"key", "never", "file", "x"}).fails(403, "AccessDenied")
	e.post(formFields{"key", "never", "policy", v4.value("Policy"), "file", "x"}).fails(403, "AccessDenied")
	e.absent("never")
}

// value returns the value of a field.
func (f formFields) value(name string) string {
	for i := 0; i < len(f); i += 2 {
		if f[i] == name {
			return f[i+1]
		}
	}
	return ""
}

func testFormBodies(e *env) {
	fields := e.signedV2(policyDoc([]any{map[string]string{"bucket": e.bucket}, []any{"starts-with", "$key", "foo"}, []any{"starts-with", "$Content-Type", ""}}))
	raw := func(contentType, data string) *answer {
		e.T.Helper()
		return e.req("POST", e.on(""), anonymous, text(data), header("Content-Type", contentType))
	}
	for _, kind := range []string{"text/html", "", "application/x-www-form-urlencoded"} {
		raw(kind, "a=b").fails(412, "PreconditionFailed", "Condition", "Bucket POST must be of the enclosure-type multipart/form-data")
	}
	raw("multipart/form-data", "x").fails(400, "MalformedPOSTRequest")
	raw("multipart/form-data; boundary=b", "nothing").fails(400, "MalformedPOSTRequest")
	raw("multipart/form-data; boundary=b", "--b--\r\n").fails(400, "InvalidArgument", "ArgumentName", "file", "ArgumentValue", "0").
		says("POST requires exactly one file upload per request.")
	e.post(fields.with("file", "-")).fails(400, "InvalidArgument", "ArgumentName", "file", "ArgumentValue", "0")
	e.post(fields.with("x-ignore-a", strings.Repeat("x", 20<<10))).fails(400, "MaxPostPreDataLengthExceeded", "MaxPostPreDataLengthBytes", "20480")
	e.post(append(formFields{"Key", "foo"}, fields...)).fails(400, "InvalidArgument")
	e.post(nil, formBody(fields.with("key", "${filename}"), "dir/")).fails(400, "UserKeyMustBeSpecified")
	e.post(fields.with("key", "foo"+strings.Repeat("x", 1024))).fails(400, "KeyTooLongError")
	e.post(append(fields.with("key", "foo-behind"), "acl", "no-such-acl", "file", "other")).is(204) // what is behind the file is ignored
	e.get("foo-behind").is(200).holds([]byte("bar"))
	big := string(pattern(3 << 20))
	e.post(fields.with("key", "foo-big", "file", big)).is(204)
	e.get("foo-big").is(200).holds([]byte(big))
	e.post(fields.with("key", "foo-empty", "file", "")).is(204)
	e.get("foo-empty").is(200).holds(nil)
	cut := e.build(e.T, "POST", e.on(""), []option{formBody(fields.with("key", "foo-cut"), "a"), anonymous})
	e.req("POST", e.on(""), anonymous, body(cut.data[:len(cut.data)-30]), header("Content-Type", cut.Header.Get("Content-Type"))).fails(400, "MalformedPOSTRequest")
	e.absent("foo-cut")
	e.req("POST", "/"+randomName(), formBody(fields, "a"), anonymous).is(http.StatusForbidden) // the policy is for another bucket
}
