package checksum

import "crypto/md5"

// MD5 is a raw MD5 digest.
type MD5 [md5.Size]byte

// ParseContentMD5 reads a Content-MD5 header (RFC 1864): 16 bytes in base64. The
// error is an *Error with code InvalidDigest.
func ParseContentMD5(s string) (MD5, error) {
	var sum MD5
	if !decodeExact(sum[:], s) {
		return MD5{}, &Error{Code: CodeInvalidDigest, Message: "The Content-MD5 you specified was invalid."}
	}
	return sum, nil
}

// Check compares the declared digest with the computed one and returns an *Error
// with code BadDigest if they differ.
func (m MD5) Check(computed MD5) error {
	if m == computed {
		return nil
	}
	return &Error{
		Code:    CodeBadDigest,
		Message: "The Content-MD5 you specified did not match what we received.",
	}
}
