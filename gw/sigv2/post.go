package sigv2

import (
	"context"
	"crypto/subtle"
	"fmt"

	"holdfast/gw/sigv4"
)

// VerifyPost verifies the signature of a browser form's policy, which is given as sent, in base64. Refusals are *sigv4.Error; any
// other error comes from Config.Secrets.
//
// See https://docs.aws.amazon.com/AmazonS3/latest/userguide/HTTPPOSTForms.html
func (v *Verifier) VerifyPost(ctx context.Context, accessKey, policy, given string) (*sigv4.Result, error) {
	secret, ok, err := v.secrets(ctx, accessKey)
	if err != nil {
		return nil, fmt.Errorf("sigv2: look up an access key: %w", err)
	}
	if !ok {
		return nil, sigv4.UnknownKey(accessKey)
	}
	if subtle.ConstantTimeCompare([]byte(signature(secret, policy)), []byte(given)) != 1 {
		return nil, sigv4.Mismatch(accessKey, policy, given, "")
	}
	return &sigv4.Result{AccessKey: accessKey, Scheme: sigv4.PostV2}, nil
}

// SignPost returns the signature of a policy in base64.
func SignPost(secret, policy string) string { return signature(secret, policy) }
