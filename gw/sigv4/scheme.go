package sigv4

import (
	"net/http"
	"net/url"
	"strings"
)

// Scheme is the way in which a request says who sent it.
type Scheme uint8

// The schemes of S3. The POST form of browsers carries its signature in the body:
// SchemeOf takes it for Anonymous.
const (
	Anonymous Scheme = iota
	HeaderV4         // Authorization: AWS4-HMAC-SHA256 …
	QueryV4          // presigned: X-Amz-Algorithm, X-Amz-Signature, …
	HeaderV2         // Authorization: AWS key:signature
	QueryV2          // presigned: AWSAccessKeyId, Expires, Signature
	PostV4           // form: x-amz-algorithm, x-amz-signature, …
	PostV2           // form: AWSAccessKeyId, signature
)

// String returns the name S3 gives the scheme in its access logs.
func (s Scheme) String() string {
	switch s {
	case HeaderV4, HeaderV2:
		return "AuthHeader"
	case QueryV4, QueryV2:
		return "QueryString"
	}
	return "-"
}

// Version returns the signature version as in s3:signatureversion policy
// conditions; "" if the request is anonymous.
func (s Scheme) Version() string {
	switch s {
	case HeaderV4, QueryV4, PostV4:
		return "AWS4-HMAC-SHA256"
	case HeaderV2, QueryV2, PostV2:
		return "AWS"
	}
	return ""
}

const (
	algorithm      = "AWS4-HMAC-SHA256"
	algorithmECDSA = "AWS4-ECDSA-P256-SHA256"
)

// SchemeOf tells which scheme a request uses, without verifying anything. The
// error is an *Error if there are two of them or one nobody here knows.
func SchemeOf(r *http.Request) (Scheme, error) {
	scheme := Anonymous
	if auth := r.Header.Get("Authorization"); auth != "" {
		var err error
		if scheme, err = headerScheme(auth); err != nil {
			return Anonymous, err
		}
	}
	_, query := Target(r)
	inQuery := querySchemeOf(query)
	if inQuery == Anonymous {
		return scheme, nil
	}
	if scheme != Anonymous {
		return Anonymous, InvalidArgument("Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "+
			"Signature query string parameter or the Authorization header should be specified",
			"Authorization", r.Header.Get("Authorization"))
	}
	return inQuery, nil
}

func headerScheme(auth string) (Scheme, error) {
	name, _, _ := strings.Cut(auth, " ")
	switch name {
	case algorithm:
		return HeaderV4, nil
	case "AWS":
		return HeaderV2, nil
	case algorithmECDSA:
		return Anonymous, unsupportedMechanism()
	}
	return Anonymous, InvalidArgument("Unsupported Authorization Type", "Authorization", auth)
}

func unsupportedMechanism() *Error {
	return refuse(CodeInvalidRequest, "The authorization mechanism you have provided is not supported. "+
		"Please use AWS4-HMAC-SHA256.")
}

func querySchemeOf(query string) Scheme {
	if !strings.Contains(query, "ignature=") && !strings.Contains(query, "X-Amz-Algorithm") && !strings.Contains(query, "AWSAccessKeyId") {
		return Anonymous // the common case, without parsing
	}
	scheme := Anonymous
	for pair := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		switch name {
		case "X-Amz-Algorithm", "X-Amz-Signature":
			return QueryV4
		case "AWSAccessKeyId": // a Signature alone may be meant for another, such as a cache in front
			scheme = QueryV2
		}
	}
	return scheme
}

// HoistQuery copies the x-amz-* parameters of a presigned request's query into
// its headers, where they are not there already: S3 takes such parameters for
// headers, and SDKs move headers such as x-amz-acl into the URLs they presign.
// In version 2 Content-Type and Content-MD5 may stand there as well. The
// parameters of the authentication itself stay where they are, and so do
// checksums of the body, which S3 looks for in headers only: aws-sdk-js signs
// that of an empty body into every URL for an upload. It does nothing
// to a request that is not presigned, whose query nobody meant so.
func (res *Result) HoistQuery(r *http.Request) {
	if res.Scheme != QueryV4 && res.Scheme != QueryV2 {
		return
	}
	_, query := Target(r)
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if !res.isHoisted(name) {
			continue
		}
		value, err := url.QueryUnescape(value)
		if err != nil || strings.ContainsAny(value, "\r\n\x00") || r.Header.Get(name) != "" {
			continue
		}
		r.Header.Set(name, value)
	}
}

func (res *Result) isHoisted(name string) bool {
	if len(name) > len(amzPrefix) && strings.EqualFold(name[:len(amzPrefix)], amzPrefix) {
		return !isAuthParameter(name) && !isBodyChecksum(name)
	}
	return res.Scheme == QueryV2 && (name == "content-type" || name == "content-md5")
}

// isBodyChecksum reports whether a parameter says what the body's checksum is,
// and not how to treat checksums.
func isBodyChecksum(name string) bool {
	switch name = strings.ToLower(name); name {
	case "x-amz-checksum-mode", "x-amz-checksum-algorithm", "x-amz-checksum-type":
		return false
	case "x-amz-sdk-checksum-algorithm":
		return true
	}
	return strings.HasPrefix(name, "x-amz-checksum-")
}

func isAuthParameter(name string) bool {
	switch name {
	case "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires",
		"X-Amz-SignedHeaders", "X-Amz-Signature":
		return true
	}
	return false
}
