package gw

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"holdfast/gw/sigv4"
)

// testClient signs requests for the tests of this package.
type testClient struct {
	t        testing.TB
	endpoint string
	region   string
	http     *http.Client
}

func clientOf(t testing.TB, endpoint string) *testClient {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	return &testClient{t: t, endpoint: endpoint, region: testRegion, http: &http.Client{Transport: transport, Timeout: 20 * time.Second}}
}

// testAnswer is an answer with its body read.
type testAnswer struct {
	*http.Response
	t    testing.TB
	body []byte
}

func (a *testAnswer) is(status int) *testAnswer {
	a.t.Helper()
	if a.StatusCode != status {
		a.t.Errorf("%s %s: got %d %s, want %d", a.Request.Method, a.Request.URL.Path, a.StatusCode, a.body, status)
	}
	return a
}

// fails checks status and code.
func (a *testAnswer) fails(status int, code string) *testAnswer {
	a.t.Helper()
	if a.is(status); !strings.Contains(string(a.body), "<Code>"+code+"</Code>") {
		a.t.Errorf("%s %s: got %s, want %s", a.Request.Method, a.Request.URL.Path, a.body, code)
	}
	return a
}

// request makes a signed request; pairs are names and values of headers.
func (c *testClient) request(method, target string, data []byte, pairs ...string) *http.Request {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.endpoint+target, bytes.NewReader(data))
	if err != nil {
		c.t.Fatal(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		r.Header.Set(pairs[i], pairs[i+1])
	}
	sigv4.Sign(r, sigv4.Credentials{AccessKey: testKey, SecretKey: testSecret}, c.region, time.Now(), sigv4.UnsignedPayload)
	return r
}

// do sends a signed request and reads the answer.
func (c *testClient) do(method, target string, data []byte, pairs ...string) *testAnswer {
	c.t.Helper()
	a, err := c.try(method, target, data, pairs...)
	if err != nil {
		c.t.Fatal(err)
	}
	return a
}

// try is do for answers that may break off: the answer is not nil if there was a head.
func (c *testClient) try(method, target string, data []byte, pairs ...string) (*testAnswer, error) {
	c.t.Helper()
	res, err := c.http.Do(c.request(method, target, data, pairs...))
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close() // read to its end, or failed above
	return &testAnswer{Response: res, t: c.t, body: body}, err
}
