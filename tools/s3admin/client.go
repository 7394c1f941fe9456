package s3admin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"holdfast"
	"holdfast/gw/sigv4"
	"holdfast/tools/credential"
)

// Bounds of a request.
const (
	maxAnswer = 1 << 30 // bytes of JSON: some million users
	maxFile   = 1 << 20 // bytes of a document that a flag names
	timeout   = 5 * time.Minute
)

// target is where requests go.
type target struct {
	url      string
	region   string
	insecure bool
	caFile   string
}

// param is one parameter of a request; the order is kept, since the first names the resource.
type param struct{ name, value string }

type params []param

// String writes the parameters as a query.
func (p params) String() string {
	var b strings.Builder
	for i, x := range p {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(x.name))
		if x.value != "" {
			b.WriteByte('=')
			b.WriteString(strings.ReplaceAll(url.QueryEscape(x.value), "+", "%20"))
		}
	}
	return b.String()
}

// client sends signed requests to the management API.
type client struct {
	endpoint string
	signer   *sigv4.Signer
	http     *http.Client
}

func newClient(t target, keys credential.Pair) (*client, error) {
	u, err := url.Parse(t.url)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, badFlag("-endpoint", "%q is not a URL such as http://127.0.0.1:9000", t.url)
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return nil, badFlag("-endpoint", "%q has more than scheme, host and port", t.url)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: t.insecure}
	if t.caFile != "" {
		pem, err := os.ReadFile(t.caFile)
		if err != nil {
			return nil, badFlag("-ca-file", "%v", err)
		}
		transport.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
			return nil, badFlag("-ca-file", "%s holds no PEM certificate", t.caFile)
		}
	}
	return &client{
		endpoint: u.Scheme + "://" + u.Host,
		signer:   sigv4.NewSigner(sigv4.Credentials(keys), t.region),
		http:     &http.Client{Transport: transport, Timeout: timeout},
	}, nil
}

func (c *client) close() { c.http.CloseIdleConnections() }

// call sends one request to the management API and returns the body of its answer. A refusal is an *apiError.
func (c *client) call(ctx context.Context, method string, query params, body []byte) ([]byte, error) {
	return c.send(ctx, method, "/", query, body)
}

// send is call for a path of the S3 API, which is escaped.
func (c *client) send(ctx context.Context, method, path string, query params, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.endpoint+path+"?"+query.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	c.signer.Sign(r, time.Now(), hex.EncodeToString(sum[:]))
	res, err := c.http.Do(r)
	if err != nil {
		return nil, holdfast.E("s3-admin", holdfast.Unavailable, err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, holdfast.E("s3-admin", holdfast.Unavailable, fmt.Errorf("the answer broke off: %w", err))
	case len(data) > maxAnswer:
		return nil, holdfast.E("s3-admin", holdfast.TooLarge, fmt.Errorf("the answer is larger than %d bytes", maxAnswer))
	case res.StatusCode/100 != 2:
		return nil, newAPIError(res, data)
	}
	return bytes.TrimSpace(data), nil
}

// fetch sends one request and decodes the JSON of its answer, which it also returns.
func (c *client) fetch(ctx context.Context, method string, query params, body []byte, into any) ([]byte, error) {
	data, err := c.call(ctx, method, query, body)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return nil, holdfast.E("s3-admin", holdfast.Other, fmt.Errorf("the answer is not what the management API answers: %w", err))
	}
	return data, nil
}

// apiError is a refusal of the gateway.
type apiError struct {
	status  int
	code    string
	message string
}

func newAPIError(res *http.Response, body []byte) error {
	var doc struct{ Code, Message string }
	if err := xml.Unmarshal(body, &doc); err != nil || doc.Code == "" {
		doc.Code, doc.Message = res.Status, res.Header.Get("X-Amz-Err-Message")
	}
	return &apiError{res.StatusCode, doc.Code, doc.Message}
}

// Error returns the message and the code.
func (e *apiError) Error() string { return strings.TrimSpace(e.message + " (" + e.code + ")") }

// readFile reads a document that a flag names.
func readFile(flag, name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, badFlag(flag, "%v", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, badFlag(flag, "%v", err)
	}
	if len(data) > maxFile {
		return nil, badFlag(flag, "%s is larger than %d bytes", name, maxFile)
	}
	return data, nil
}
