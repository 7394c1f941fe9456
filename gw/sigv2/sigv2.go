// Package sigv2 verifies and makes AWS Signature Version 2 as S3 speaks it, for
// the clients that know no other: in the Authorization header and in presigned
// URLs.
//
// The invariant: Verify says yes only if the holder of the secret signed the
// method, the bucket and raw path, the sub-resources of the query, Content-MD5,
// Content-Type, the date and every x-amz-* header. The version signs neither the
// host, nor the other query parameters, nor the body; see sigv4 for one that does.
//
// The package shares Result, Error and SecretFunc with gw/sigv4, so that a gateway
// treats both versions alike.
//
// See https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
package sigv2

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"holdfast/gw/sigv4"
)

// Config is what a Verifier needs.
type Config struct {
	// Secrets finds the secret of an access key.
	Secrets sigv4.SecretFunc
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Verifier verifies requests. It is safe for concurrent use.
type Verifier struct {
	secrets sigv4.SecretFunc
	now     func() time.Time
}

// New returns a Verifier.
func New(cfg Config) *Verifier {
	v := &Verifier{secrets: cfg.Secrets, now: cfg.Now}
	if v.now == nil {
		v.now = time.Now
	}
	return v
}

// Verify verifies a request whose sigv4.SchemeOf is HeaderV2 or QueryV2. bucket
// is the bucket that the host names; "" if the path does. Refusals are
// *sigv4.Error; any other error comes from Config.Secrets. The signature says nothing
// of the body; a hash that the client declares is checked all the same.
func (v *Verifier) Verify(r *http.Request, bucket string) (*sigv4.Result, error) {
	var claim claim
	var err error
	if auth := r.Header.Get("Authorization"); auth != "" {
		claim, err = v.headerClaim(r, auth)
	} else {
		claim, err = v.queryClaim(r)
	}
	if err != nil {
		return nil, err
	}
	claim.result.DeclareHash(r)
	secret, ok, err := v.secrets(r.Context(), claim.result.AccessKey)
	if err != nil {
		return nil, fmt.Errorf("sigv2: look up an access key: %w", err)
	}
	if !ok {
		return nil, sigv4.UnknownKey(claim.result.AccessKey)
	}
	path, _ := sigv4.Target(r)
	toSign := stringToSign(r, bucket, path, claim.date, claim.query)
	if claim.matches(secret, toSign) {
		return &claim.result, nil
	}
	// Some clients send /bucket and sign /bucket/; the two name the same.
	if bucket == "" && strings.LastIndexByte(path, '/') == 0 && path != "/" &&
		claim.matches(secret, stringToSign(r, bucket, path+"/", claim.date, claim.query)) {
		return &claim.result, nil
	}
	return nil, sigv4.Mismatch(claim.result.AccessKey, toSign, claim.signature, "")
}

// claim is what a request says before it is verified.
type claim struct {
	result    sigv4.Result
	signature string
	date      string     // the date line of the string to sign
	query     url.Values // of a presigned request: may stand in for headers
}

func (c *claim) matches(secret, toSign string) bool {
	return subtle.ConstantTimeCompare([]byte(signature(secret, toSign)), []byte(c.signature)) == 1
}

// headerClaim reads "AWS key:signature" and checks the clock.
func (v *Verifier) headerClaim(r *http.Request, auth string) (claim, error) {
	fields, found := strings.CutPrefix(auth, "AWS ")
	fields = strings.TrimSpace(fields)
	colon := strings.LastIndexByte(fields, ':') // keys may contain one, signatures cannot
	if !found || colon <= 0 || colon == len(fields)-1 {
		return claim{}, sigv4.InvalidArgument("AWS authorization header is invalid.  Expected AwsAccessKeyId:signature",
			"Authorization", auth)
	}
	c := claim{signature: fields[colon+1:], date: r.Header.Get("Date")}
	sent := c.date
	if _, given := r.Header["X-Amz-Date"]; given {
		sent, c.date = r.Header.Get("X-Amz-Date"), "" // the header itself is signed among the x-amz-*
	}
	signedAt, err := sigv4.ParseTime(sent)
	if err != nil {
		return claim{}, err
	}
	if now := v.now(); signedAt.Before(now.Add(-sigv4.MaxSkew)) || signedAt.After(now.Add(sigv4.MaxSkew)) {
		return claim{}, sigv4.Skewed(sent, now)
	}
	c.result = sigv4.Result{
		AccessKey:    fields[:colon],
		Scheme:       sigv4.HeaderV2,
		SignedAt:     signedAt,
		SessionToken: r.Header.Get("X-Amz-Security-Token"),
	}
	return c, nil
}

// queryClaim reads AWSAccessKeyId, Expires and Signature and checks that the URL
// still lives.
func (v *Verifier) queryClaim(r *http.Request) (claim, error) {
	_, raw := sigv4.Target(r)
	query, err := url.ParseQuery(raw)
	if err != nil {
		return claim{}, &sigv4.Error{Code: sigv4.CodeInvalidURI, Message: "Couldn't parse the specified URI.", Err: err}
	}
	key, date := query.Get("AWSAccessKeyId"), query.Get("Expires")
	// Not every client escapes the plus signs of base64.
	sig := strings.ReplaceAll(query.Get("Signature"), " ", "+")
	if key == "" || date == "" || sig == "" {
		return claim{}, denied("Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters")
	}
	seconds, err := strconv.ParseInt(date, 10, 64)
	if err != nil {
		return claim{}, denied("Invalid date (should be seconds since epoch): " + clip(date))
	}
	expires := time.Unix(seconds, 0).UTC()
	if now := v.now(); now.After(expires) {
		return claim{}, sigv4.Expired(expires, now)
	}
	token := r.Header.Get("X-Amz-Security-Token")
	if token == "" {
		token = query.Get("x-amz-security-token")
	}
	return claim{
		result:    sigv4.Result{AccessKey: key, Scheme: sigv4.QueryV2, Expires: expires, SessionToken: token},
		signature: sig, date: date, query: query,
	}, nil
}

func denied(message string) *sigv4.Error {
	return &sigv4.Error{Code: sigv4.CodeAccessDenied, Message: message}
}

// clip bounds what a message repeats of a parameter.
func clip(s string) string { return s[:min(len(s), 64)] }
