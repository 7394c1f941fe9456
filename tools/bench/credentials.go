package bench

import (
	"errors"

	"holdfast/tools/bench/sign"
	"holdfast/tools/credential"
)

// findCredentials takes the keys from the flags, else from the file, else from
// the environment.
func findCredentials(access, secret, file string, env func(string) string) (sign.Credentials, error) {
	p, err := credential.Find(credential.Flags{AccessKey: access, SecretKey: secret, File: file}, env)
	var bad *credential.Error
	if errors.As(err, &bad) {
		return sign.Credentials{}, badFlag(bad.Flag, "%s", bad.Reason)
	}
	return sign.Credentials(p), err
}
