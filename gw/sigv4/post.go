package sigv4

import (
	"context"
	"crypto/subtle"
	"fmt"
)

// PostFields are the fields of a browser form that make up its signature
// (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html).
type PostFields struct {
	Algorithm, Credential, Date, Signature string
	Policy                                 string // as sent, in base64: the string to sign
}

// VerifyPost verifies the signature of a form's policy. Refusals are *Error; any other error comes from Config.Secrets. When the form
// was signed does not matter: the policy says how long it is good for.
func (v *Verifier) VerifyPost(ctx context.Context, f PostFields) (*Result, error) {
	switch f.Algorithm {
	case algorithm:
	case algorithmECDSA:
		return nil, unsupportedMechanism()
	default:
		return nil, InvalidArgument(`X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"`, "X-Amz-Algorithm", f.Algorithm)
	}
	cred, err := v.parsePostCredential(f.Credential)
	if err != nil {
		return nil, err
	}
	if len(f.Date) != len(timeFormat) {
		return nil, badPostDate(f.Date)
	}
	signedAt, err := ParseTime(f.Date)
	if err != nil {
		return nil, badPostDate(f.Date)
	}
	secret, ok, err := v.secrets(ctx, cred.accessKey)
	if err != nil {
		return nil, fmt.Errorf("sigv4: look up an access key: %w", err)
	}
	if !ok {
		return nil, UnknownKey(cred.accessKey)
	}
	key := v.keys.get(secret, v.service, &cred)
	var buf [hexSignature]byte
	if subtle.ConstantTimeCompare(key.appendSignature(buf[:0], []byte(f.Policy)), []byte(f.Signature)) != 1 {
		return nil, Mismatch(cred.accessKey, f.Policy, f.Signature, "")
	}
	return &Result{AccessKey: cred.accessKey, Scheme: PostV4, Region: cred.region, SignedAt: signedAt}, nil
}

func (v *Verifier) parsePostCredential(text string) (credential, error) {
	cred, problem := v.parseCredential(text)
	if problem == nil {
		return cred, nil
	}
	e := InvalidArgument(problem.text, "X-Amz-Credential", text)
	e.Details = append(e.Details, problem.details...)
	return cred, e
}

func badPostDate(value string) error {
	return InvalidArgument("X-Amz-Date must be formated via ISO8601 Long format", "X-Amz-Date", value) // S3's spelling
}

// SignPost returns the signature of a policy in base64, by a key derived for the day of date (YYYYMMDD), region and service.
func SignPost(secret, date, region, service, policy string) string {
	key := deriveKey(secret, date, region, service)
	return string(key.appendSignature(nil, []byte(policy)))
}
