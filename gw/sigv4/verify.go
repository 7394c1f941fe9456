package sigv4

import (
	"context"
	"crypto/subtle"
	"fmt"
	"net/http"
	"time"
)

const (
	dateFormat = "20060102"
	timeFormat = "20060102T150405Z"
)

// MaxSkew is how far the clock of a client may be from ours.
const MaxSkew = 15 * time.Minute

// SecretFunc returns the secret of an access key; ok is false if nobody has that
// key. An error means that it could not be found out, and Verify returns it
// wrapped. It is called once a request, concurrently, and should be fast.
type SecretFunc func(ctx context.Context, accessKey string) (secret string, ok bool, err error)

// Config is what a Verifier needs.
type Config struct {
	// Secrets finds the secret of an access key.
	Secrets SecretFunc
	// Regions are those a credential may be scoped to. Errors name the first.
	// With none, every region is accepted.
	Regions []string
	// Service in the scope; "" means s3.
	Service string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Verifier verifies requests. It is safe for concurrent use.
type Verifier struct {
	secrets SecretFunc
	regions []string
	service string
	now     func() time.Time
	keys    keyCache
}

// New returns a Verifier.
func New(cfg Config) *Verifier {
	v := &Verifier{secrets: cfg.Secrets, regions: cfg.Regions, service: cfg.Service, now: cfg.Now}
	if v.service == "" {
		v.service = "s3"
	}
	if v.now == nil {
		v.now = time.Now
	}
	return v
}

// Result is what a verified signature says. It belongs to one request.
type Result struct {
	AccessKey string
	Scheme    Scheme
	Region    string    // of the credential scope; "" in version 2
	SignedAt  time.Time // as the client says
	Expires   time.Time // of a presigned request; else zero
	// SessionToken is x-amz-security-token, signed with the rest. Whether it
	// goes with AccessKey is for the caller to check.
	SessionToken string
	Payload      Payload

	payloadHash string // of PayloadHash, as declared
	chain       chain  // of signed chunks
}

// Verify verifies a request whose SchemeOf is HeaderV4 or QueryV4. It does not
// touch the body: read it through Result.Body. Refusals are *Error; any other
// error comes from Config.Secrets.
//
// The request must be as net/http received it: RequestURI, Host and Header.
func (v *Verifier) Verify(r *http.Request) (*Result, error) {
	if r.Header.Get("Authorization") != "" {
		return v.verifyHeader(r)
	}
	return v.verifyQuery(r)
}

func (v *Verifier) verifyHeader(r *http.Request) (*Result, error) {
	header := r.Header.Get("Authorization")
	if scheme, err := headerScheme(header); err != nil || scheme != HeaderV4 {
		if err == nil {
			err = unsupportedMechanism()
		}
		return nil, err
	}
	auth, err := v.parseHeader(header)
	if err != nil {
		return nil, err
	}
	declared, payload, err := headerPayload(r)
	if err != nil {
		return nil, err
	}
	when, signedAt, err := requestTime(r)
	if err != nil {
		return nil, err
	}
	if now := v.now(); signedAt.Before(now.Add(-MaxSkew)) || signedAt.After(now.Add(MaxSkew)) {
		return nil, Skewed(when, now)
	}
	res := &Result{
		AccessKey:    auth.accessKey,
		Scheme:       HeaderV4,
		Region:       auth.region,
		SignedAt:     signedAt,
		SessionToken: r.Header.Get("X-Amz-Security-Token"),
		Payload:      payload,
		payloadHash:  declared,
	}
	if err := v.check(r, &auth, res, declared, when, ""); err != nil {
		return nil, err
	}
	return res, nil
}

// check computes the signature and compares it. Everything else is verified by
// now. payload is the last line of the canonical request, when the time as sent,
// except the query parameter that carries the signature.
func (v *Verifier) check(r *http.Request, auth *authorization, res *Result, payload, when, except string) error {
	secret, ok, err := v.secrets(r.Context(), auth.accessKey)
	if err != nil {
		return fmt.Errorf("sigv4: look up an access key: %w", err)
	}
	if !ok {
		return UnknownKey(auth.accessKey)
	}
	if when[:len(dateFormat)] != auth.date { // compared before in a presigned request
		return malformed(dateMismatch(auth.date, when))
	}
	if missing := unsignedHeaders(r.Header, auth.signedHeaders); len(missing) > 0 {
		return headersNotSigned(missing)
	}
	s := newScratch()
	defer s.release()
	if !s.build(r, auth.signedHeaders, payload, except) {
		return refuse(CodeInvalidURI, "Couldn't parse the specified URI.")
	}
	s.toSign = appendStringToSign(s.toSign, when, auth.scope, s.canonical)
	key := v.keys.get(secret, v.service, &auth.credential)
	var buf [hexSignature]byte
	if subtle.ConstantTimeCompare(key.appendSignature(buf[:0], s.toSign), []byte(auth.signature)) != 1 {
		return Mismatch(auth.accessKey, string(s.toSign), auth.signature, string(s.canonical))
	}
	if res.Payload.signsChunks() {
		res.chain = newChain(*key, auth.accessKey, when, auth.scope, auth.signature)
	}
	return nil
}

func headersNotSigned(names []string) *Error {
	list := names[0]
	for _, name := range names[1:] {
		list += ", " + name
	}
	return refuse(CodeAccessDenied, "There were headers present in the request which were not signed",
		Detail{"HeadersNotSigned", clip(list)})
}

func dateMismatch(date, when string) string {
	return `Invalid credential date "` + date + `". This date is not the same as X-Amz-Date: "` + when[:len(dateFormat)] + `".`
}

// requestTime returns the time of a request, in the form the string to sign
// contains and parsed. x-amz-date wins over Date.
func requestTime(r *http.Request) (string, time.Time, error) {
	value := r.Header.Get("X-Amz-Date")
	if value == "" {
		value = r.Header.Get("Date")
	}
	t, err := ParseTime(value)
	if err != nil {
		return "", time.Time{}, err
	}
	if len(value) == len(timeFormat) { // the only format of that length
		return value, t, nil
	}
	return t.Format(timeFormat), t, nil
}

// ParseTime reads a time as S3 takes it in x-amz-date and Date: basic ISO 8601
// or one of the HTTP dates, none before 1970. The result is in UTC.
func ParseTime(value string) (time.Time, error) {
	for _, layout := range [...]string{timeFormat, time.RFC1123, time.RFC1123Z, time.RFC850, time.ANSIC, time.RFC3339} {
		if t, err := time.Parse(layout, value); err == nil && t.Unix() >= 0 {
			return t.UTC(), nil
		}
	}
	return time.Time{}, NoDate()
}
