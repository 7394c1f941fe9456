package account

import (
	"crypto/rand"
	"encoding/hex"
)

// Shapes of what is made at random.
const (
	idBytes       = 8 // of a user id, shown as twice as many digits
	idLength      = 2 * idBytes
	suffixLength  = 4  // of a user's access key, behind the id
	secretLength  = 40 // of every secret
	serviceLength = 10 // of a service account's access key, behind servicePrefix

	servicePrefix = "holdfast-"

	keyLetters    = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	secretLetters = keyLetters + "abcdefghijklmnopqrstuvwxyz"
)

func newID() string {
	var b [idBytes]byte
	_, _ = rand.Read(b[:]) // documented never to fail
	return hex.EncodeToString(b[:])
}

// letters returns n letters, each as likely as any other.
func letters(n int, alphabet string) string {
	limit := 256 / len(alphabet) * len(alphabet) // bytes from here on would favour the first letters
	out := make([]byte, 0, n)
	var b [64]byte
	for len(out) < n {
		_, _ = rand.Read(b[:]) // documented never to fail
		for _, x := range b {
			if int(x) < limit && len(out) < n {
				out = append(out, alphabet[int(x)%len(alphabet)])
			}
		}
	}
	return string(out)
}

// owner returns the id of the user whose access key this is, "" if it does not have the form of a user's.
func owner(accessKey string) string {
	if len(accessKey) != idLength+suffixLength || !ValidID(accessKey[:idLength]) {
		return ""
	}
	return accessKey[:idLength]
}

// ValidID reports whether a text has the form of a user id: 16 lower-case hexadecimal digits.
func ValidID(id string) bool {
	if len(id) != idLength {
		return false
	}
	for i := range len(id) {
		if c := id[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
