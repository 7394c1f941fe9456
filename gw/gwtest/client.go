package gwtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"holdfast/gw/sigv4"
)

// client sends requests exactly as they are described: no path is cleaned, no redirect followed, nothing compressed.
type client struct {
	endpoint string // without a slash at the end
	creds    Credentials
	signer   *sigv4.Signer
	http     *http.Client
}

func newClient(endpoint string, creds Credentials) *client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableCompression = true
	transport.MaxIdleConnsPerHost = 64
	return &client{
		endpoint: strings.TrimRight(endpoint, "/"),
		creds:    creds,
		signer:   sigv4.NewSigner(creds.keys(), creds.Region),
		http: &http.Client{
			Transport:     transport,
			Timeout:       time.Minute,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// request is a request that is being described.
type request struct {
	*http.Request
	data []byte
	sign func(*request) // nil: nothing more to do
}

// option describes a request further.
type option func(*request)

// header sets a header.
func header(name, value string) option {
	return func(r *request) { r.Header[http.CanonicalHeaderKey(name)] = []string{value} }
}

// body gives the request a body of known length.
func body(data []byte) option {
	return func(r *request) {
		r.data = data
		r.ContentLength = int64(len(data))
		r.Body = io.NopCloser(bytes.NewReader(data))
		if len(data) == 0 {
			r.Body = http.NoBody
		}
	}
}

// text is body for a string.
func text(s string) option { return body([]byte(s)) }

// host sends the request to a virtual host.
func host(name string) option { return func(r *request) { r.Host = name } }

// anonymous leaves the request unsigned.
func anonymous(r *request) { r.sign = nil }

// signed replaces the way the request is signed.
func signed(how func(*request)) option { return func(r *request) { r.sign = how } }

// unsignedPayload signs the request but not its body.
func (c *client) unsignedPayload() option {
	return signed(func(r *request) { c.signer.Sign(r.Request, time.Now(), sigv4.UnsignedPayload) })
}

// build makes the request. target is the escaped path with its query.
func (c *client) build(t testing.TB, method, target string, opts []option) *request {
	t.Helper()
	hr, err := http.NewRequestWithContext(t.Context(), method, c.endpoint+target, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r := &request{Request: hr}
	r.sign = func(r *request) {
		sum := sha256.Sum256(r.data)
		c.signer.Sign(r.Request, time.Now(), hex.EncodeToString(sum[:]))
	}
	for _, o := range opts {
		o(r)
	}
	if r.sign != nil {
		r.sign(r)
	}
	return r
}

// do sends a request and reads the whole answer.
func (c *client) do(t testing.TB, method, target string, opts ...option) *answer {
	t.Helper()
	a, err := c.try(t, method, target, opts...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, clip(target), err)
	}
	return a
}

// try is do for requests whose connection may break.
func (c *client) try(t testing.TB, method, target string, opts ...option) (*answer, error) {
	t.Helper()
	r := c.build(t, method, target, opts)
	res, err := c.http.Do(r.Request)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(res.Body)
	_ = res.Body.Close() // it was read to its end or failed above
	a := &answer{t: t, what: method + " " + clip(target), method: method, status: res.StatusCode, header: res.Header, body: data, length: res.ContentLength}
	a.checkIDs()
	return a, err
}

func clip(s string) string {
	if len(s) > 120 {
		return s[:120] + "…"
	}
	return s
}

// answer is what came back.
type answer struct {
	t      testing.TB
	what   string
	method string
	status int
	header http.Header
	body   []byte
	length int64 // Content-Length
}

// checkIDs holds what every answer has: the two ids of the request.
func (a *answer) checkIDs() {
	a.t.Helper()
	if a.header.Get("X-Amz-Request-Id") == "" || a.header.Get("X-Amz-Id-2") == "" {
		a.t.Errorf("%s: %d without request ids: %v", a.what, a.status, a.header)
	}
}

// is checks the status.
func (a *answer) is(status int) *answer {
	a.t.Helper()
	if a.status != status {
		a.t.Errorf("%s: got %d %s, want %d", a.what, a.status, clip(string(a.body)), status)
	}
	return a
}

// mustBe is is for what the rest of a test stands on.
func (a *answer) mustBe(status int) *answer {
	a.t.Helper()
	if a.is(status); a.status != status {
		a.t.FailNow()
	}
	return a
}

// has checks headers, given as name, value, name, value.
func (a *answer) has(pairs ...string) *answer {
	a.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if got := strings.Join(a.header.Values(pairs[i]), "|"); got != pairs[i+1] {
			a.t.Errorf("%s: %s: got %q, want %q", a.what, pairs[i], got, pairs[i+1])
		}
	}
	return a
}

// lacks checks that headers are absent.
func (a *answer) lacks(names ...string) *answer {
	a.t.Helper()
	for _, name := range names {
		if got, ok := a.header[http.CanonicalHeaderKey(name)]; ok {
			a.t.Errorf("%s: has %s: %q, want none", a.what, name, got)
		}
	}
	return a
}

// holds checks the body.
func (a *answer) holds(want []byte) *answer {
	a.t.Helper()
	if !bytes.Equal(a.body, want) {
		a.t.Errorf("%s: got %d bytes %q, want %d bytes %q", a.what, len(a.body), clip(string(a.body)), len(want), clip(string(want)))
	}
	return a
}

// xml decodes the document of a success.
func (a *answer) xml(into any) *answer {
	a.t.Helper()
	if got := a.header.Get("Content-Type"); got != "application/xml" {
		a.t.Errorf("%s: content type %q, want application/xml", a.what, got)
	}
	if err := xml.Unmarshal(a.body, into); err != nil {
		a.t.Fatalf("%s: %v in %s", a.what, err, a.body)
	}
	return a
}

// errorDocument is the document of an error answer.
type errorDocument struct {
	XMLName xml.Name
	Fields  []struct {
		XMLName xml.Name
		Value   string `xml:",chardata"`
	} `xml:",any"`
}

func (d *errorDocument) field(name string) string {
	for _, f := range d.Fields {
		if f.XMLName.Local == name {
			return f.Value
		}
	}
	return ""
}

// isError reports whether the answer is the document of an error with this code.
func (a *answer) isError(code string) bool {
	var doc errorDocument
	return xml.Unmarshal(a.body, &doc) == nil && doc.XMLName.Local == "Error" && doc.field("Code") == code
}

// fails checks that the answer is this S3 error: the status, the code, the ids and the form of the document, and further elements
// given as name, value, name, value. A HEAD has no document.
func (a *answer) fails(status int, code string, elements ...string) *answer {
	a.t.Helper()
	a.is(status)
	if a.method == http.MethodHead || status == http.StatusNotModified {
		return a.holds(nil)
	}
	var doc errorDocument
	a.has("Content-Type", "application/xml")
	if err := xml.Unmarshal(a.body, &doc); err != nil || doc.XMLName.Local != "Error" {
		a.t.Errorf("%s: %d with a body that is no error document: %v %q", a.what, a.status, err, clip(string(a.body)))
		return a
	}
	if got := doc.field("Code"); got != code {
		a.t.Errorf("%s: got %s (%s), want %s", a.what, got, doc.field("Message"), code)
	}
	if doc.field("Message") == "" {
		a.t.Errorf("%s: %s has no message", a.what, code)
	}
	if got, want := doc.field("RequestId"), a.header.Get("X-Amz-Request-Id"); got != want {
		a.t.Errorf("%s: RequestId %q, header %q", a.what, got, want)
	}
	if got, want := doc.field("HostId"), a.header.Get("X-Amz-Id-2"); got != want {
		a.t.Errorf("%s: HostId %q, header %q", a.what, got, want)
	}
	for i := 0; i < len(elements); i += 2 {
		if got := doc.field(elements[i]); got != elements[i+1] {
			a.t.Errorf("%s: %s: got %q, want %q", a.what, elements[i], got, elements[i+1])
		}
	}
	return a
}

// escape writes a key as a path: every byte but the unreserved ones and the slash is percent-encoded.
func escape(key string) string {
	return strings.ReplaceAll(strings.ReplaceAll(url.QueryEscape(key), "+", "%20"), "%2F", "/")
}
