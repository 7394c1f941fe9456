package gw

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"holdfast/gw/checksum"
	"holdfast/gw/s3api"
	"holdfast/gw/sigv2"
	"holdfast/gw/sigv4"
)

// authenticator finds out who signed a request, and opens its body.
type authenticator struct {
	credentials Credentials
	v4          *sigv4.Verifier
	v2          *sigv2.Verifier
}

// newAuthenticator returns the authenticator of a region.
func newAuthenticator(c Credentials, region string) *authenticator {
	a := &authenticator{credentials: c}
	a.v4 = sigv4.New(sigv4.Config{Secrets: a.secret, Regions: []string{region}})
	a.v2 = sigv2.New(sigv2.Config{Secrets: a.secret})
	return a
}

func (a *authenticator) secret(ctx context.Context, accessKey string) (string, bool, error) {
	id, ok, err := a.credentials.Identity(ctx, accessKey)
	return id.Secret, ok, err
}

// authenticate verifies the signature of a request, if it has one, and makes its body readable. A body that does not verify fails
// as it is read, before its end.
func (a *authenticator) authenticate(q *request) error {
	scheme, err := sigv4.SchemeOf(q.r)
	if err != nil {
		return err
	}
	if q.op == s3api.OpPostObject {
		return a.openForm(q, scheme)
	}
	return a.authenticateAs(q, scheme)
}

// authenticateAs verifies the signature of a scheme, or opens the body of an anonymous request.
func (a *authenticator) authenticateAs(q *request, scheme sigv4.Scheme) error {
	if scheme == sigv4.Anonymous {
		unsigned, err := sigv4.Unsigned(q.r)
		if err != nil {
			return err
		}
		return q.openBody(unsigned)
	}
	signed, err := a.verify(q, scheme)
	if err != nil {
		return err
	}
	if err := a.admitCaller(q, signed); err != nil {
		return err
	}
	if signed.Scheme == sigv4.QueryV4 || signed.Scheme == sigv4.QueryV2 {
		// Headers that choose the operation may stand in the query, too: a copy must not become the put of an empty body.
		signed.HoistQuery(q.r)
		if q.op, err = q.match(); err != nil {
			return err
		}
	}
	return q.openBody(signed)
}

// admitCaller makes whoever signed the caller.
func (a *authenticator) admitCaller(q *request, signed *sigv4.Result) error {
	who, ok, err := a.credentials.Identity(q.ctx, signed.AccessKey)
	if err != nil {
		return err
	}
	if !ok { // revoked since the signature was verified
		return sigv4.UnknownKey(signed.AccessKey)
	}
	q.caller, q.signed, q.proof = who, true, proof{signed.Scheme, signed.SignedAt}
	q.caller.Secret = ""
	return nil
}

func (a *authenticator) verify(q *request, scheme sigv4.Scheme) (*sigv4.Result, error) {
	if scheme == sigv4.HeaderV4 || scheme == sigv4.QueryV4 {
		return a.v4.Verify(q.r)
	}
	hosted := "" // version 2 signs the bucket that the host names
	if q.target.VirtualHosted {
		hosted = q.target.Bucket
	}
	return a.v2.Verify(q.r, hosted)
}

// openBody wraps the body of a request that is verified, or anonymous. Operations whose checksum headers speak of something other than the body
// declare none.
func (q *request) openBody(signed *sigv4.Result) error {
	var declared checksum.Declared
	if q.declaresBody() {
		var err error
		if declared, err = checksum.FromHeader(q.r.Header); err != nil {
			return err
		}
	}
	body, err := signed.Body(q.r, declared)
	if err != nil {
		return err
	}
	q.body = payload{body: body, pace: &q.w.pace, declared: declared, signed: q.signed && signed.Payload != sigv4.PayloadUnsigned}
	q.continueEmpty()
	return nil
}

// continueEmpty sends the 100 that a client of an empty body asked for. The server sends it when a body is read, but never
// for an empty one, and botocore confuses the answers of its next request on the connection when it misses.
func (q *request) continueEmpty() {
	if q.r.ContentLength == 0 && strings.EqualFold(q.r.Header.Get("Expect"), "100-continue") {
		q.w.WriteHeader(http.StatusContinue)
	}
}

// declaresBody reports whether checksum headers of the operation are about the body it carries.
func (q *request) declaresBody() bool {
	switch q.op {
	case s3api.OpPutObject, s3api.OpUploadPart, s3api.OpDeleteObjects:
		return true
	}
	return false
}

// clientError returns the S3 error of a refusal by one of the packages that know codes but not the catalogue, nil for any
// other error.
func clientError(err error) *s3api.Error {
	var signature *sigv4.Error
	if errors.As(err, &signature) {
		e := s3api.E(s3api.Code(signature.Code)).WithMessage(signature.Message).WithCause(err)
		for _, d := range signature.Details {
			e.With(d.Name, d.Value)
		}
		return e
	}
	var digest *checksum.Error
	if errors.As(err, &digest) {
		return s3api.E(s3api.Code(digest.Code)).WithMessage(digest.Message).WithCause(err)
	}
	return nil
}
