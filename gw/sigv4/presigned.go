package sigv4

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// MaxExpires is the longest life of a presigned URL.
const MaxExpires = 7 * 24 * time.Hour

// queryAuth holds the X-Amz-* parameters of a presigned URL, decoded.
type queryAuth struct {
	algorithm, credential, date, expires, signedHeaders, signature string
	token, payload                                                 string
}

func (v *Verifier) verifyQuery(r *http.Request) (*Result, error) {
	q, err := parseQueryAuth(r)
	if err != nil {
		return nil, err
	}
	auth, err := v.parseQueryScope(q)
	if err != nil {
		return nil, err
	}
	signedAt, expires, err := v.checkLife(q, auth.date)
	if err != nil {
		return nil, err
	}
	signed, declared, payload, err := q.payloads(r.Header.Get(canonicalContentSHA256), auth.signedHeaders)
	if err != nil {
		return nil, err
	}
	res := &Result{
		AccessKey:    auth.accessKey,
		Scheme:       QueryV4,
		Region:       auth.region,
		SignedAt:     signedAt,
		Expires:      expires,
		SessionToken: q.token,
		Payload:      payload,
		payloadHash:  declared,
	}
	if res.SessionToken == "" {
		res.SessionToken = r.Header.Get("X-Amz-Security-Token")
	}
	if err := v.check(r, &auth, res, signed, q.date, "X-Amz-Signature"); err != nil {
		return nil, err
	}
	return res, nil
}

// payloads returns what the signature says of the body, what the client declared
// of it, and the mode that follows. They are the same, unsigned if nothing was
// said, but for one case: a hash sent along in a header that was not signed, which
// users of a URL may add, is checked though the signature covers no payload.
func (q *queryAuth) payloads(header string, names []string) (signed, declared string, mode Payload, err error) {
	declared = q.payload
	if declared == "" {
		declared = header
	}
	if declared == "" {
		declared = UnsignedPayload
	}
	if mode, err = parsePayload(declared); err != nil {
		if q.payload != "" || declared == streamingECDSA || declared == streamingECDSATrailer {
			return "", "", 0, err
		}
		mode = PayloadHash // of no body
	}
	signed = declared
	if q.payload == "" && mode == PayloadHash && !slices.Contains(names, contentSHA256) {
		signed = UnsignedPayload
	}
	return signed, declared, mode, nil
}

// parseQueryAuth collects the parameters. Twice the same one is refused: two
// readers of the URL might choose differently.
func parseQueryAuth(r *http.Request) (*queryAuth, error) {
	q := new(queryAuth)
	_, query := Target(r)
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		slot := q.slot(name)
		if slot == nil {
			continue
		}
		value, err := url.QueryUnescape(value)
		if err != nil {
			return nil, refuse(CodeInvalidURI, "Couldn't parse the specified URI.")
		}
		if *slot != "" {
			return nil, queryError(name + " must be given only once.")
		}
		*slot = value
	}
	if q.algorithm == algorithmECDSA {
		return nil, unsupportedMechanism()
	}
	if q.algorithm != "" && q.algorithm != algorithm {
		return nil, queryError(`X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"`)
	}
	if q.algorithm == "" || q.credential == "" || q.date == "" || q.expires == "" ||
		q.signedHeaders == "" || q.signature == "" {
		return nil, queryError("Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, " +
			"X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.")
	}
	return q, nil
}

func (q *queryAuth) slot(name string) *string {
	switch name {
	case "X-Amz-Algorithm":
		return &q.algorithm
	case "X-Amz-Credential":
		return &q.credential
	case "X-Amz-Date":
		return &q.date
	case "X-Amz-Expires":
		return &q.expires
	case "X-Amz-SignedHeaders":
		return &q.signedHeaders
	case "X-Amz-Signature":
		return &q.signature
	case "X-Amz-Security-Token":
		return &q.token
	case canonicalContentSHA256, contentSHA256:
		return &q.payload
	}
	return nil
}

func queryError(message string, details ...Detail) *Error {
	return refuse(CodeQueryParameters, message, details...)
}

func (v *Verifier) parseQueryScope(q *queryAuth) (authorization, error) {
	cred, problem := v.parseCredential(q.credential)
	if problem != nil {
		return authorization{}, queryError("Error parsing the X-Amz-Credential parameter; "+problem.text, problem.details...)
	}
	names := parseSignedHeaders(q.signedHeaders)
	if names == nil {
		return authorization{}, queryError("Error parsing the X-Amz-SignedHeaders parameter.")
	}
	return authorization{credential: cred, signedHeaders: names, signature: q.signature}, nil
}

// checkLife checks that now lies in the life of the URL. Its beginning may lie in
// the future by the allowed skew of the clocks.
func (v *Verifier) checkLife(q *queryAuth, scopeDate string) (signedAt, expires time.Time, err error) {
	signedAt, err = time.Parse(timeFormat, q.date)
	if err != nil || len(q.date) != len(timeFormat) {
		return signedAt, expires, queryError(`X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`)
	}
	if q.date[:len(dateFormat)] != scopeDate {
		return signedAt, expires, queryError(dateMismatch(scopeDate, q.date))
	}
	seconds, err := strconv.ParseInt(q.expires, 10, 64)
	switch {
	case err != nil:
		return signedAt, expires, queryError("X-Amz-Expires should be a number")
	case seconds < 0:
		return signedAt, expires, queryError("X-Amz-Expires must be non-negative")
	case seconds > int64(MaxExpires/time.Second):
		return signedAt, expires, queryError("X-Amz-Expires must be less than a week (in seconds); " +
			"that is, the given X-Amz-Expires must be less than 604800 seconds")
	}
	expires = signedAt.Add(time.Duration(seconds) * time.Second)
	now := v.now()
	if signedAt.After(now.Add(MaxSkew)) {
		return signedAt, expires, refuse(CodeAccessDenied, "Request is not valid yet",
			Detail{"ServerTime", now.UTC().Format(time.RFC3339)})
	}
	// A life of no seconds is over even if the client's clock is ahead of ours.
	if seconds == 0 || now.After(expires) {
		return signedAt, expires, Expired(expires, now, Detail{"X-Amz-Expires", q.expires})
	}
	return signedAt, expires, nil
}
